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

/**
 * Asks every upstream of `config` for `. NS`, all at once, for the time that one try of its zones has. Over its own transport alone: where
 * the agent would go on over another, a person should know that this one is shut.
 */
export function probeUpstreams(config: Config): Promise<Probe[]> {
  const asked = new Map<string, { address: UpstreamAddress; zones: string[]; timeoutMs: number }>();
  for (const { zone, upstreams, tryMs } of config.zones) {
    for (const address of upstreams) {
      const key = `${address.transport} ${upstreamKey(address)}`;
      const { zones = [], timeoutMs = 0 } = asked.get(key) ?? {};
      asked.set(key, { address, zones: [...zones, zone], timeoutMs: Math.max(timeoutMs, tryMs) });
    }
  }
  return Promise.all([...asked.values()].map(({ address, zones, timeoutMs }) => probe(address, zones, timeoutMs)));
}

async function probe(address: UpstreamAddress, zones: readonly string[], timeoutMs: number): Promise<Probe> {
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
