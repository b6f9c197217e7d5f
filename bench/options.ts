import { parseArgs } from 'node:util';
import { BenchError } from './bench-error.ts';
import { FIGURE_NAMES, type FigureName, ON_REQUEST } from './figures/figure.ts';
import type { Peer } from './servers/peer.ts';

export interface Options {
  readonly figures: readonly FigureName[];
  /** Each round measures every server once, in turn, so that what changes on the machine meanwhile meets all of them. */
  readonly rounds: number;
  /** One measurement of a rate. */
  readonly seconds: number;
  /** A CoreDNS binary; undefined: look where docs/performance.md says. */
  readonly coredns: string | undefined;
  /** Servers of the user's own. */
  readonly peers: readonly Peer[];
}

/** A command line that cannot be run; the message says what was received and what is allowed. */
export class UsageError extends BenchError {}

export const USAGE = `usage: npm run bench -- [FIGURE...] [--rounds N] [--seconds N] [--coredns FILE] [--peer NAME=COMMAND]...
figures: ${FIGURE_NAMES.join(', ')} (default: all but ${ON_REQUEST.join(', ')})`;

const OWN_SERVERS = ['signpost', 'coredns', 'unbound', 'udp-limit'];

/** Longer would outlive what a cluster zone's answers may be kept (30 s, warm-up included), and measure refreshes too. */
const MAX_SECONDS = 20;

/** Reads the arguments after the script's name. Throws UsageError. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  return {
    figures:
      positionals.length > 0 ? positionals.map(figureName) : FIGURE_NAMES.filter((name) => !ON_REQUEST.includes(name)),
    rounds: wholeNumber('--rounds', values.rounds, 3, 100),
    seconds: wholeNumber('--seconds', values.seconds, 5, MAX_SECONDS),
    coredns: values.coredns,
    peers: readPeers(values.peer ?? []),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        coredns: { type: 'string' },
        peer: { type: 'string', multiple: true },
      },
    });
  } catch (error) {
    throw new UsageError(`Cannot read the arguments: ${(error as Error).message}\n${USAGE}`);
  }
}

function figureName(text: string): FigureName {
  const name = FIGURE_NAMES.find((each) => each === text);
  if (name === undefined) throw new UsageError(`Cannot measure ${text}: no such figure\n${USAGE}`);
  return name;
}

function readPeers(texts: readonly string[]): Peer[] {
  const taken = new Set(OWN_SERVERS);
  return texts.map((text) => {
    const [, name, command] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || command === undefined)
      throw new UsageError(`Cannot use --peer ${text}: expected NAME=COMMAND, such as 'mine=./dns --port {port}'`);
    if (taken.has(name)) throw new UsageError(`Cannot use --peer ${text}: there is a server ${name} already`);
    taken.add(name);
    return { name, command };
  });
}

function wholeNumber(option: string, text: string | undefined, otherwise: number, maximum: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= maximum) return value;
  throw new UsageError(`Cannot use ${option} ${text}: expected a whole number from 1 to ${maximum}`);
}
