import { KnownServices } from '../../../../src/search/known-services.ts';
import { decodeMessage, type Message, type MessageRecord } from '../../../../src/wire/codec.ts';
import { House, type HouseOptions, type PlayedClient } from '../house.ts';

export const Z = 'cluster.local';
/** What CoreDNS says beside a "no". */
const SOA: MessageRecord = {
  name: Z,
  type: 'SOA',
  class: 'IN',
  ttl: 30,
  data: {
    mname: `ns.dns.${Z}`,
    rname: `hostmaster.${Z}`,
    serial: 1_700_000_000,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: 30,
  },
};
export const NXDOMAIN: Message = { flags: 0x0583, authorities: [SOA] };
export const NODATA: Message = { flags: 0x0580, authorities: [SOA] };

export const positive = (name: string): Message => ({
  flags: 0x0580,
  answers: [{ name, type: 'A', class: 'IN', ttl: 30, data: '10.96.0.10' }],
});

/** A cluster's DNS by its names: what exists is answered, all else is NXDOMAIN. Says what was asked, each as `name type`, since the last call. */
export class Cluster {
  readonly house: House;
  readonly #exists: ReadonlySet<string>;

  readonly #everAsked = new Set<string>();
  /** Not followed, unless the test says so. */
  readonly services = new KnownServices();

  constructor(exists: Iterable<string>, options: HouseOptions = {}, live?: ReadonlySet<string>) {
    this.house = new House(2 << 20, { hasSearch: true, services: this.services, ...options });
    this.#exists = live ?? new Set(exists);
  }

  /** Answers all that is asked, and what that leads to. */
  async settle(): Promise<string[]> {
    const asked: string[] = [];
    for (let quiet = 0; quiet < 5; quiet++) {
      for (const upstream of [this.house.cluster, this.house.outside]) {
        while (upstream.asked.length > 0) {
          quiet = 0;
          const { message, end } = upstream.asked[0]!;
          const { name, type } = decodeMessage(message.subarray(0, end)).questions[0]!;
          asked.push(`${name} ${type}`);
          this.#everAsked.add(name);
          if (!this.#exists.has(name.toLowerCase())) upstream.answer(NXDOMAIN);
          else if (type === 'A' && /^(web|pod-0|www)/.test(name)) upstream.answer(positive(name));
          else upstream.answer(NODATA);
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    return asked.sort();
  }

  /** Whether the very name was ever asked upstream. */
  isAsked(name: string): boolean {
    return this.#everAsked.has(name);
  }

  async ask(name: string, type = 'A'): Promise<{ client: PlayedClient; asked: string[] }> {
    const client = this.house.ask({ name, type });
    return { client, asked: await this.settle() };
  }
}

/** A cluster in which there is the namespace, as was just seen, and other names. */
export async function withNamespace(name: string, ...others: string[]): Promise<Cluster> {
  const cluster = new Cluster([`${name}.svc.${Z}`, ...others]);
  await cluster.ask(`${name}.svc.${Z}`);
  return cluster;
}

/** A cluster that was told that there is no com.svc, six seconds ago. */
export async function withExpiredCut(): Promise<Cluster> {
  const cluster = new Cluster([]);
  await cluster.ask(`com.svc.${Z}`);
  cluster.house.pass(6000);
  return cluster;
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
