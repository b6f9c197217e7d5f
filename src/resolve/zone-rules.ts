import type { AnswerDraft } from '../cache/answer-draft.ts';
import { FROM_HOSTS, NO_AAAA } from '../cache/cache-traffic.ts';
import type { RouteTable } from '../route/route-table.ts';
import { CLASS_IN, FLAG_CD, HEADER_LENGTH, RCODE_NOERROR, TYPE_A, TYPE_AAAA, TYPE_PTR } from '../wire/constants.ts';
import { nameFromText } from '../wire/name.ts';
import type { QueryView } from '../wire/query.ts';
import { rotateGroup } from '../wire/rotate.ts';
import { A_BYTES, AAAA_BYTES, type Host, LOCAL_TTL_SECONDS } from './host-table.ts';
import { localSoa, takeAnswer, takeDenial } from './local-record.ts';

/** Nothing is answered here: ask upstream. */
export const NO_RULE = -1;
/** The mailbox of zones that nobody runs (RFC 6303, section 3). */
const NOBODY = nameFromText('nobody.invalid.')!;

export interface ZoneRulesOptions {
  /** `cluster.local.` */
  zone: string;
  hasAaaa: boolean;
  hosts: RouteTable<Host> | undefined;
  pointers: RouteTable<Uint8Array> | undefined;
}

/**
 * What a zone answers before its upstreams are asked: its hosts entries, and that there is no AAAA where the zone has none. Answers are made anew each
 * time, which costs about half a microsecond more than a hit, takes no room in the cache, and is true from the first query after a reload.
 */
export class ZoneRules {
  readonly #zone: string;
  readonly #hasAaaa: boolean;
  readonly #hosts: RouteTable<Host> | undefined;
  readonly #pointers: RouteTable<Uint8Array> | undefined;
  #soa: Uint8Array | undefined;

  constructor({ zone, hasAaaa, hosts, pointers }: ZoneRulesOptions) {
    this.#zone = zone;
    this.#hasAaaa = hasAaaa;
    this.#hosts = hosts;
    this.#pointers = pointers;
  }

  /** Fills `draft` and returns what is counted, FROM_HOSTS or NO_AAAA; else NO_RULE. */
  answer(query: QueryView, draft: AnswerDraft): number {
    if (query.class !== CLASS_IN) return NO_RULE;
    const nameStart = query.start + HEADER_LENGTH;
    const host = this.#hosts?.find(query.bytes, nameStart, query.nameEnd);
    if (host !== undefined) {
      this.#answerHost(query.type, host, draft);
      return FROM_HOSTS;
    }
    if (query.type === TYPE_PTR) {
      const pointer = this.#pointers?.find(query.bytes, nameStart, query.nameEnd);
      if (pointer === undefined) return NO_RULE;
      takeAnswer(draft, pointer, 1);
      return FROM_HOSTS;
    }
    if (query.type !== TYPE_AAAA || this.#hasAaaa || validates(query)) return NO_RULE;
    takeDenial(draft, RCODE_NOERROR, this.#denial());
    return NO_AAAA;
  }

  /** Whether a hosts entry speaks of the uncompressed name in [start, nameEnd), or of its address. */
  hasHost(bytes: Uint8Array, start: number, nameEnd: number): boolean {
    return (this.#hosts?.find(bytes, start, nameEnd) ?? this.#pointers?.find(bytes, start, nameEnd)) !== undefined;
  }

  #answerHost(type: number, { a, aaaa }: Host, draft: AnswerDraft): void {
    if (type === TYPE_A && a.length > 0) this.#answerAddresses(a, A_BYTES, draft);
    else if (type === TYPE_AAAA && aaaa.length > 0) this.#answerAddresses(aaaa, AAAA_BYTES, draft);
    else takeDenial(draft, RCODE_NOERROR, this.#denial());
  }

  #answerAddresses(records: Uint8Array, recordBytes: number, draft: AnswerDraft): void {
    const count = records.length / recordBytes;
    takeAnswer(draft, records, count);
    if (count > 1) rotateGroup(records, 0, recordBytes, count);
  }

  /** Made when it is first needed: there may be thousands of zones. */
  #denial(): Uint8Array {
    if (this.#soa === undefined) {
      const zone = nameFromText(this.#zone)!;
      this.#soa = localSoa(zone, zone, NOBODY, LOCAL_TTL_SECONDS);
    }
    return this.#soa;
  }
}

/** With DO and CD the client checks signatures itself: it would take what we say in the zone's name for a forgery, so it gets the truth (as in RFC 6147, section 5.5). */
function validates(query: QueryView): boolean {
  return query.dnssecOk && (query.flags & FLAG_CD) !== 0;
}
