import type { AnswerDraft } from '../cache/answer-draft.ts';
import {
  CLASS_CH,
  CLASS_IN,
  RCODE_NOERROR,
  RCODE_NXDOMAIN,
  TYPE_A,
  TYPE_AAAA,
  TYPE_ANY,
  TYPE_HINFO,
  TYPE_PTR,
  TYPE_TXT,
} from '../wire/constants.ts';
import { nameFromText, nameToText } from '../wire/name.ts';
import type { QueryView } from '../wire/query.ts';
import { localRecord, localSoa, OWNER_OF_QUESTION, takeAnswer, takeDenial } from './local-record.ts';

/** Zones whose names never leave the node (RFC 6761, section 6.3; RFC 6303, section 4), each with the name in it that is a loopback address's. */
export const LOCAL_ZONES: ReadonlyMap<string, string> = new Map([
  ['localhost.', 'localhost.'],
  ['127.in-addr.arpa.', '1.0.0.127.in-addr.arpa.'],
  [`1.${'0.'.repeat(31)}ip6.arpa.`, `1.${'0.'.repeat(31)}ip6.arpa.`],
]);

const TTL_SECONDS = 3600;
const LOCALHOST = nameFromText('localhost.')!;
const IPV4_LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const IPV6_LOOPBACK = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
/** CPU "RFC8482", OS "" (RFC 8482, section 4.2). */
const ANY_REFUSED = Uint8Array.from([...characterString('RFC8482'), 0]);

export interface LocalAnswersOptions {
  /** Said to `version.bind`. */
  version: string;
  /** Said to `id.server` and `hostname.bind`. */
  nodeName: string;
}

/** Answers that need neither cache nor upstream. Asked rarely: built anew each time. */
export class LocalAnswers {
  readonly #chaos: ReadonlyMap<string, Uint8Array>;

  constructor({ version, nodeName }: LocalAnswersOptions) {
    const versionText = characterString(`signpost ${version}`);
    const nodeText = characterString(nodeName);
    this.#chaos = new Map([
      ['version.bind.', versionText],
      ['version.server.', versionText],
      ['hostname.bind.', nodeText],
      ['id.server.', nodeText],
    ]);
  }

  /** Fills `draft` where the question is of class CHAOS or type ANY and answered here; false where it must be asked elsewhere. */
  special(query: QueryView, draft: AnswerDraft): boolean {
    if (query.class === CLASS_CH) {
      const text = this.#chaos.get(nameOf(query));
      if (text === undefined || (query.type !== TYPE_TXT && query.type !== TYPE_ANY)) return false;
      takeAnswer(draft, localRecord(OWNER_OF_QUESTION, TYPE_TXT, CLASS_CH, 0, text), 1);
      return true;
    }
    if (query.type !== TYPE_ANY || query.class !== CLASS_IN) return false;
    takeAnswer(draft, localRecord(OWNER_OF_QUESTION, TYPE_HINFO, CLASS_IN, TTL_SECONDS, ANY_REFUSED), 1);
    return true;
  }

  /** Fills `draft` for a name at or below `zone`, one of LOCAL_ZONES: the address, the name, or that there is nothing else. */
  loopback(query: QueryView, zone: string, draft: AnswerDraft): void {
    const data = loopbackData(query, zone);
    if (data !== undefined) {
      takeAnswer(draft, localRecord(OWNER_OF_QUESTION, query.type, CLASS_IN, TTL_SECONDS, data), 1);
      return;
    }
    const rcode = exists(nameOf(query), zone) ? RCODE_NOERROR : RCODE_NXDOMAIN;
    takeDenial(draft, rcode, localSoa(nameFromText(zone)!, LOCALHOST, LOCALHOST, TTL_SECONDS));
  }
}

function loopbackData(query: QueryView, zone: string): Uint8Array | undefined {
  if (query.class !== CLASS_IN) return undefined;
  if (zone === 'localhost.') {
    if (query.type === TYPE_A) return IPV4_LOOPBACK;
    return query.type === TYPE_AAAA ? IPV6_LOOPBACK : undefined;
  }
  return query.type === TYPE_PTR && nameOf(query) === LOCAL_ZONES.get(zone) ? LOCALHOST : undefined;
}

/** All names below localhost do; of the reverse ones the apex, the loopback address's, and those between. */
function exists(name: string, zone: string): boolean {
  return zone === 'localhost.' || `.${LOCAL_ZONES.get(zone)!}`.endsWith(`.${name}`);
}

function nameOf(query: QueryView): string {
  return nameToText(query.bytes, query.start + 12).toLowerCase();
}

function characterString(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text).subarray(0, 255);
  return Uint8Array.from([bytes.length, ...bytes]);
}
