import { randomInt } from 'node:crypto';
import type { Config, UpstreamAddress } from '../config/config.ts';
import { upstreamKey } from '../config/upstream-address.ts';
import { RCODE_MASK, TYPE_NS } from '../wire/constants.ts';
import { rcodeToText } from '../wire/type-names.ts';
import { type Answer, exchange, NoAnswer } from './dns-exchange.ts';
import { OPT_LENGTH, queryMessage } from './query-message.ts';
import { exchangeOverStream } from './stream-exchange.ts';

/** What one upstream said to one question. */
export interface Probe {
  readonly address: UpstreamAddress;
  readonly zones: readonly string[];
  readonly rcode?: string;
  readonly elapsedMs?: number;
  /** Why there was no answer. An RCODE of any kind is one. */
  readonly failure?: string;
}

const ROOT = new Uint8Array(1);

/** So many are asked at a time: each has a socket, and a server that is asked in thousands of ways is left in peace. */
const AT_A_TIME = 64;

/**
 * Asks every upstream of `config` for `. NS`, for the time that one try of its zones has. Over its own transport alone: where
 * the agent would go on over another, a person should know that this one is shut.
 */
export async function probeUpstreams(config: Config): Promise<Probe[]> {
  const all = waysToAsk(config);
  const probes: Probe[] = [];
  let next = 0;
  const askOn = async (): Promise<void> => {
    for (let index = next++; index < all.length; index = next++) probes[index] = await probe(all[index]!);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, askOn));
  return probes;
}

interface WayToAsk {
  readonly address: UpstreamAddress;
  readonly zones: string[];
  timeoutMs: number;
}

function waysToAsk({ zones }: Config): WayToAsk[] {
  const ways = new Map<string, WayToAsk>();
  for (const { zone, upstreams, tryMs } of zones) {
    for (const address of upstreams) {
      const key = `${address.transport} ${upstreamKey(address)}`;
      const way = ways.get(key) ?? { address, zones: [], timeoutMs: 0 };
      way.zones.push(zone);
      way.timeoutMs = Math.max(way.timeoutMs, tryMs);
      ways.set(key, way);
    }
  }
  return [...ways.values()];
}

async function probe({ address, zones, timeoutMs }: WayToAsk): Promise<Probe> {
  try {
    const { bytes, elapsedMs } = await ask(address, timeoutMs);
    return { address, zones, rcode: rcodeToText(bytes[3]! & RCODE_MASK), elapsedMs: Number(elapsedMs.toFixed(1)) };
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return { address, zones, failure: error.message };
  }
}

function ask(address: UpstreamAddress, timeoutMs: number): Promise<Answer> {
  const { transport } = address;
  const query = queryMessage(ROOT, TYPE_NS, { id: randomInt(65_536), dnssecOk: false, askedOptions: [] });
  if (transport === 'tls' || transport === 'https') {
    return exchangeOverStream(query, query.length - OPT_LENGTH, address, timeoutMs);
  }
  return exchange(query, address, { isTcp: transport === 'tcp', timeoutMs });
}
