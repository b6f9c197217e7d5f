import { setImmediate as turn } from 'node:timers/promises';
import type { PodClient } from '../../../../src/search/pod-clients.ts';
import { decodeMessage as decodeWire, type Message } from '../../../../src/wire/codec.ts';
import type { QuestionOptions } from '../../../client/message.ts';
import { House, type HouseOptions, type PlayedClient } from '../house.ts';

export const POD = '10.1.0.5';
export const TEAM1 = 'team1.svc.cluster.local';

export const USUAL_POD: PodClient = {
  namespace: 'team1',
  addresses: [POD],
  dnsPolicy: 'ClusterFirst',
  searches: [],
  ndots: undefined,
  isHostNetwork: false,
  isEnded: false,
};

const SOA = {
  name: '.',
  type: 'SOA' as const,
  ttl: 5,
  data: {
    mname: 'ns.dns.cluster.local',
    rname: 'x.cluster.local',
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum: 5,
  },
};
export const NXDOMAIN: Message & { flags: number } = { flags: 0x0183, authorities: [SOA] };
export const NODATA: Message & { flags: number } = { flags: 0x0180, authorities: [SOA] };
export const SERVFAIL: Message & { flags: number } = { flags: 0x0182 };

export function a(name: string, address = '192.0.2.1', ttl = 30): Message {
  return { answers: [{ name, type: 'A', ttl, data: address }] };
}

export function aaaa(name: string, address = '2001:db8::1', ttl = 30): Message {
  return { answers: [{ name, type: 'AAAA', ttl, data: address }] };
}

/** A pod, the agent on its node, and all names that there are: `world` says what upstreams answer to `name type`; what it has not is NXDOMAIN. */
export class SearchingWorld {
  readonly house: House;
  readonly world: Map<string, Message & { flags?: number }>;
  /** What was asked upstream, in order: `name type`. */
  readonly asked: string[] = [];

  constructor(
    world: Readonly<Record<string, Message & { flags?: number }>>,
    pod: Partial<PodClient> = {},
    options: HouseOptions = {},
  ) {
    this.house = new House(2 << 20, { isCompleting: true, ...options });
    this.world = new Map(Object.entries(world));
    this.house.pods.setCurrent(true);
    this.house.pods.set('uid-1', { ...USUAL_POD, ...pod });
    // Known for long.
    this.house.pass(60_000);
  }

  /** Answers what is asked until nothing more is. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet++) {
      for (const upstream of [this.house.cluster, this.house.outside]) {
        for (let waiting = upstream.asked.length; waiting > 0; waiting--) {
          const { message, end } = upstream.asked[0]!;
          const { name, type } = decodeWire(message.subarray(0, end)).questions![0]!;
          const answer = this.world.get(`${name.toLowerCase()} ${type}`) ?? NXDOMAIN;
          if (answer === SILENT) {
            upstream.asked.push(upstream.asked.shift()!);
            continue;
          }
          quiet = 0;
          this.asked.push(`${name} ${type}`);
          upstream.answer(answer);
        }
      }
      await turn();
    }
  }

  async ask(
    name: string,
    type: string,
    options: Partial<QuestionOptions> & { from?: string; isStream?: boolean } = {},
  ): Promise<PlayedClient> {
    const client = this.house.ask({ from: POD, name, type, ...options });
    await this.settle();
    return client;
  }

  /** A and AAAA at once, as most resolvers ask. */
  async both(
    name: string,
    options: Partial<QuestionOptions> & { from?: string; isStream?: boolean } = {},
  ): Promise<[PlayedClient, PlayedClient]> {
    const clients = ['A', 'AAAA'].map((type) => this.house.ask({ from: POD, name, type, ...options }));
    await this.settle();
    return clients as [PlayedClient, PlayedClient];
  }

  /** What was asked since the last call. */
  take(): string[] {
    return this.asked.splice(0);
  }
}

/** There is no answer. */
export const SILENT: Message = { answers: [] };

/** The answer in short: `NOERROR CNAME>www.example.com. A=c0000201`. */
export function brief(client: PlayedClient): string {
  const { rcode, answers, authorities } = client.reply;
  const code = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN'][rcode] ?? String(rcode);
  const records = answers.map(({ owner, type, data }) =>
    type === 5 ? `${owner}>${textOf(data)}` : `${owner} ${type === 1 ? 'A' : type === 28 ? 'AAAA' : type}=${data}`,
  );
  return [code, ...records, ...(authorities.some(({ type }) => type === 6) ? ['SOA'] : [])].join(' ');
}

function textOf(data: string): string {
  const bytes = Buffer.from(data, 'hex');
  let text = '';
  for (let at = 0; bytes[at]! > 0; at += 1 + bytes[at]!)
    text += `${bytes.toString('latin1', at + 1, at + 1 + bytes[at]!)}.`;
  return text;
}
