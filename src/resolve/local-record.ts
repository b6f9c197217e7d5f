import type { AnswerDraft } from '../cache/answer-draft.ts';
import { CLASS_IN, RCODE_NOERROR, TYPE_SOA } from '../wire/constants.ts';

/** Points to the question's name, which is always the first. */
export const OWNER_OF_QUESTION = Uint8Array.of(0xc0, 12);

/** A record as bytes; `data` is its RDATA. */
export function localRecord(
  owner: Uint8Array,
  type: number,
  classCode: number,
  ttlSeconds: number,
  data: Uint8Array,
): Uint8Array {
  return Uint8Array.from([...owner, ...u16(type), ...u16(classCode), ...u32(ttlSeconds), ...u16(data.length), ...data]);
}

/** The SOA record that says "no" in a zone's name for so long. `mname` and `rname` in wire form; of its times only the last, the negative TTL, is ever read. */
export function localSoa(zone: Uint8Array, mname: Uint8Array, rname: Uint8Array, ttlSeconds: number): Uint8Array {
  const numbers = [1, ttlSeconds, ttlSeconds, ttlSeconds, ttlSeconds].flatMap(u32);
  return localRecord(zone, TYPE_SOA, CLASS_IN, ttlSeconds, Uint8Array.from([...mname, ...rname, ...numbers]));
}

/** An answer of `count` whole records. */
export function takeAnswer(draft: AnswerDraft, records: Uint8Array, count: number): void {
  draft.takeRcode(RCODE_NOERROR);
  draft.message = records;
  draft.bodyEnd = records.length;
  draft.answers = count;
}

/** An answer that there is nothing, or nothing of that type, with the SOA record that lets resolvers keep it. */
export function takeDenial(draft: AnswerDraft, rcode: number, soa: Uint8Array): void {
  draft.takeRcode(rcode);
  draft.message = soa;
  draft.bodyEnd = soa.length;
  draft.authorities = 1;
}

function u16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}
