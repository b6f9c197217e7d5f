import { decodeMessage, encodeMessage, type Question } from '../wire/codec.ts';
import {
  FLAG_AA,
  FLAG_CD,
  FLAG_QR,
  FLAG_RA,
  FLAG_RD,
  FLAG_TC,
  HEADER_LENGTH,
  MAX_MESSAGE_LENGTH,
  OPCODE_MASK,
  OPCODE_QUERY,
  RCODE_FORMERR,
  RCODE_NOTIMP,
  RCODE_REFUSED,
} from '../wire/constants.ts';
import type { Answer, AnswerSource } from './answer-source.ts';

/** Without EDNS a client takes 512 octets (RFC 1035, section 2.3.4); with it, no more than fits one packet on every path. */
const MIN_UDP = 512;
const MAX_UDP = 1232;

const OPT = {
  type: 'OPT' as const,
  name: '.',
  udpPayloadSize: MAX_UDP,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

/** The answer of `source` to `query` as a message; undefined where a server says nothing: to what is no query. */
export function replyTo(query: Uint8Array, source: AnswerSource, isStream: boolean): Uint8Array | undefined {
  if (query.length < HEADER_LENGTH || (query[2]! & (FLAG_QR >> 8)) !== 0) return undefined;
  if ((((query[2]! << 8) | query[3]!) & OPCODE_MASK) >> 11 !== OPCODE_QUERY) return refusal(query, RCODE_NOTIMP);
  try {
    return answerTo(query, source, isStream);
  } catch {
    return refusal(query, RCODE_FORMERR);
  }
}

function answerTo(query: Uint8Array, source: AnswerSource, isStream: boolean): Uint8Array {
  const { id, flags, questions, additionals } = decodeMessage(query);
  const question = questions[0];
  if (question === undefined || questions.length > 1) return refusal(query, RCODE_FORMERR);
  if (question.class !== 'IN') return refusal(query, RCODE_REFUSED);
  const opt = additionals.find((record) => record.type === 'OPT');
  const room = isStream ? MAX_MESSAGE_LENGTH : Math.min(Math.max(opt?.udpPayloadSize ?? MIN_UDP, MIN_UDP), MAX_UDP);
  const answer = source.answer(question.name, question.type);
  const kept = (flags & (FLAG_RD | FLAG_CD)) | FLAG_AA | FLAG_RA;
  const options = opt === undefined ? [] : [OPT];
  const whole = encode(id, kept, question, answer, options);
  if (whole.length <= room) return whole;
  const none = { rcode: answer.rcode, answers: [], authorities: [], additionals: [] };
  return encode(id, kept | FLAG_TC, question, none, options);
}

function encode(
  id: number,
  flags: number,
  question: Question,
  { rcode, answers, authorities, additionals }: Answer,
  options: readonly (typeof OPT)[],
): Uint8Array {
  return encodeMessage({
    id,
    type: 'response',
    flags: flags | rcode,
    questions: [question],
    answers: [...answers],
    authorities: [...authorities],
    additionals: [...additionals, ...options],
  });
}

/** A header alone, for what cannot be repeated. */
function refusal(query: Uint8Array, rcode: number): Uint8Array {
  const reply = new Uint8Array(HEADER_LENGTH);
  reply.set(query.subarray(0, 4));
  reply[2]! |= FLAG_QR >> 8;
  reply[3] = rcode;
  return reply;
}
