import { isIPv6 } from 'node:net';
import { type Answer, type AnswerSource, type DemoRecord, found, noData, noName } from './answer-source.ts';
import type { DemoCluster } from './cluster-file.ts';

const TTL_SECONDS = 300;
const AUTHORITY = { zone: '.', ttlSeconds: 60 };
/** Aliases that are followed; a loop in the file ends here. */
const MAX_ALIASES = 8;

/** The world outside the cluster, as small as the file makes it. It stands for a recursive resolver, so that the demo needs no network. */
export class OutsideDns implements AnswerSource {
  readonly #names: DemoCluster['outside'];

  constructor({ outside }: Pick<DemoCluster, 'outside'>) {
    this.#names = outside;
  }

  answer(name: string, type: string): Answer {
    const chain: DemoRecord[] = [];
    let owner = name;
    let entry = this.#names.get(owner.toLowerCase());
    while (typeof entry === 'string' && chain.length < MAX_ALIASES) {
      chain.push({ name: owner, type: 'CNAME', ttl: TTL_SECONDS, data: entry });
      if (type === 'CNAME') return found(chain);
      owner = entry;
      entry = this.#names.get(owner);
    }
    if (entry === undefined && !this.#hasNamesBelow(owner)) return { ...noName(AUTHORITY), answers: chain };
    const records = Array.isArray(entry) ? addressRecords(owner, type, TTL_SECONDS, entry) : [];
    if (records.length === 0) return { ...noData(AUTHORITY), answers: chain };
    return found([...chain, ...records]);
  }

  /** `example.com` is there when `www.example.com` is (RFC 8020). */
  #hasNamesBelow(name: string): boolean {
    const suffix = name === '.' ? '' : `.${name.toLowerCase()}`;
    return [...this.#names.keys()].some((known) => known.endsWith(suffix));
  }
}

/** An A or AAAA record for each address of that family. */
export function addressRecords(name: string, type: string, ttl: number, addresses: readonly string[]): DemoRecord[] {
  if (type !== 'A' && type !== 'AAAA') return [];
  return addresses
    .filter((address) => isIPv6(address) === (type === 'AAAA'))
    .map((address) => ({ name, type, ttl, data: address }));
}
