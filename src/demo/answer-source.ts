import { RCODE_NOERROR, RCODE_NXDOMAIN } from '../wire/constants.ts';

interface SoaData {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

interface SrvData {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** A record of the kinds that the demo's servers give. Names are without the trailing dot, the root is `.`. */
export type DemoRecord = { readonly name: string; readonly ttl: number } & (
  | { readonly type: 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR' | 'TXT'; readonly data: string }
  | { readonly type: 'SOA'; readonly data: SoaData }
  | { readonly type: 'SRV'; readonly data: SrvData }
);

export interface Answer {
  readonly rcode: number;
  readonly answers: readonly DemoRecord[];
  readonly authorities: readonly DemoRecord[];
  readonly additionals: readonly DemoRecord[];
}

/** What stands behind a DNS server of the demo: all it knows, asked by name and type. */
export interface AnswerSource {
  /** `name` as it was asked, without the trailing dot, the root as `.`; `type` as text, such as `AAAA` or `TYPE65`. */
  answer(name: string, type: string): Answer;
}

/** The authority for a zone that says for how long "no" holds. */
interface ZoneAuthority {
  readonly zone: string;
  readonly ttlSeconds: number;
}

export function found(answers: readonly DemoRecord[], additionals: readonly DemoRecord[] = []): Answer {
  return { rcode: RCODE_NOERROR, answers, authorities: [], additionals };
}

/** The name is there, records of this type are not (RFC 2308, section 2.2). */
export function noData(authority: ZoneAuthority): Answer {
  return { rcode: RCODE_NOERROR, answers: [], authorities: [soaOf(authority)], additionals: [] };
}

/** The name is not there (RFC 2308, section 2.1). */
export function noName(authority: ZoneAuthority): Answer {
  return { rcode: RCODE_NXDOMAIN, answers: [], authorities: [soaOf(authority)], additionals: [] };
}

export function soaOf({ zone, ttlSeconds }: ZoneAuthority): DemoRecord {
  const below = zone === '.' ? '' : `.${zone}`;
  return {
    name: zone,
    type: 'SOA',
    ttl: ttlSeconds,
    data: {
      mname: `ns.dns${below}`,
      rname: `hostmaster${below}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttlSeconds,
    },
  };
}
