import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Load {
  /** dnsblast or tcpblast. */
  readonly program: string;
  readonly core: number;
  readonly port: number;
  readonly queryFile: string;
  /** The longest it may take. */
  readonly seconds: number;
  /** Or TCP connections. */
  readonly sockets: number;
  /** Queries in flight on each socket. */
  readonly window: number;
  /** End after so many; 0: only after `seconds`. */
  readonly queries: number;
  /** Queries a second, evenly spaced and whatever comes back; 0: as many as the windows allow. UDP only. */
  readonly rate: number;
  /** Queries that leave together are put in the order of their lengths. UDP only. */
  readonly isSorted: boolean;
}

export interface LoadResult {
  readonly answersPerSecond: number;
  readonly answered: number;
  readonly lost: number;
  readonly bad: number;
  readonly noError: number;
  /** How often the end of the query file was reached. */
  readonly wrapped: number;
  /** The generator's own CPU time, in per cent of the time that it ran. */
  readonly busyPercent: number;
  /** Between sending and receiving, in the median; NaN where nothing was answered. */
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Runs a generator against a server on loopback. Rejects where it fails. */
export async function blast(load: Load): Promise<LoadResult> {
  const { program, core, port, queryFile, seconds, sockets, window, queries, rate, isSorted } = load;
  const pace = [seconds, sockets, window, queries, rate, isSorted ? 1 : 0];
  const args = ['-c', core, program, '127.0.0.1', port, queryFile, ...pace].map(String);
  const { stdout } = await run('taskset', args);
  return parseBlast(stdout);
}

/** Reads the line that both generators print. Throws where a field is missing. */
export function parseBlast(text: string): LoadResult {
  const field = (name: string) => {
    const match = new RegExp(`\\b${name} (\\d+)`).exec(text);
    if (match === null) throw new Error(`Cannot read dnsblast's result: no ${name} in ${JSON.stringify(text)}`);
    return Number(match[1]);
  };
  const percentile = (name: string) => Number(new RegExp(`\\b${name}=([\\d.]+)`).exec(text)?.[1]);
  return {
    answersPerSecond: field('qps'),
    answered: field('answered'),
    lost: field('lost'),
    bad: field('bad'),
    noError: field('noerror'),
    wrapped: field('wrapped'),
    busyPercent: field('busy'),
    p50Us: percentile('p50'),
    p99Us: percentile('p99'),
  };
}

/**
 * A server that sheds load with quick errors must not look fast: fewer than 99.9% good answers make no figure, nor do fewer than the
 * `queries` that were to be asked. Throws then.
 */
export function requireGoodAnswers(result: LoadResult, queries = 0): void {
  const { answered, noError, lost, bad } = result;
  if (answered + lost < queries)
    throw new Error(`Cannot use this run: ${answered} of ${queries} queries before its time was over`);
  if (answered > 0 && noError >= 0.999 * (answered + lost)) return;
  throw new Error(`Cannot use this run: ${noError} NOERROR of ${answered} answers, ${lost} lost, ${bad} bad`);
}
