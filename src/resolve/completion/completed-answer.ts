import { CnameAnswer } from '../../wire/cname-answer.ts';
import { HEADER_LENGTH, MAX_MESSAGE_LENGTH, MAX_NAME_LENGTH, RCODE_NOERROR } from '../../wire/constants.ts';
import { copyBytes } from '../../wire/copy.ts';
import type { QueryView } from '../../wire/query.ts';
import type { Reply } from '../../wire/reply.ts';
import { type Composer, UDP_PAYLOAD_BYTES } from '../composer.ts';
import type { FoundAnswer } from './found-answer.ts';

/** The CNAME holds as long as the cluster DNS lets its "no" to the first name hold. */
const CNAME_TTL_SECONDS = 5;
/** Owner as a pointer, type, class, TTL and RDLENGTH. */
const CNAME_FIXED_OCTETS = 12;
const OPT_OCTETS = 11;

/** The answer to the first name that a search makes, by way of the candidate that exists: a CNAME, and what that one has. */
export class CompletedAnswer {
  readonly #composer: Composer;
  readonly #cname = new CnameAnswer();
  readonly #question = new Uint8Array(HEADER_LENGTH + MAX_NAME_LENGTH + 4);
  readonly #answer = new Uint8Array(MAX_MESSAGE_LENGTH);

  constructor(composer: Composer) {
    this.#composer = composer;
  }

  /** `name`: the candidate's, uncompressed, in the letters that the client used. False where it would be longer than any message. */
  compose(query: QueryView, name: Uint8Array, found: FoundAnswer, origin: string, reply: Reply): boolean {
    const cname = this.#cname;
    const answer = this.#answer;
    const questionEnd = copyBytes(query.bytes, query.start, query.questionEnd, this.#question, 0);
    const ttlSeconds = Math.min(CNAME_TTL_SECONDS, found.ttlSeconds);
    let end = cname.begin(this.#question, questionEnd, name, ttlSeconds, answer);
    end = cname.append(found.bytes, found, end);
    if (end === -1) return false;
    this.#composer.composeRecords(query, RCODE_NOERROR, answer, questionEnd, end, origin, reply);
    return true;
  }
}

/** Whether a client takes the answer whole: one of a CNAME to a name of `nameLength` octets and `recordsLength` octets of records. */
export function fitsWhole(query: QueryView, isStream: boolean, nameLength: number, recordsLength: number): boolean {
  const own = query.questionEnd - query.start + (query.hasOpt ? OPT_OCTETS : 0);
  const most = isStream ? MAX_MESSAGE_LENGTH : Math.min(query.udpSize, UDP_PAYLOAD_BYTES);
  return own + CNAME_FIXED_OCTETS + nameLength + recordsLength <= most;
}
