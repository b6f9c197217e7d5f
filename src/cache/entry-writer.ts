import { HEADER_LENGTH } from '../wire/constants.ts';
import { copyBytes } from '../wire/copy.ts';
import { capTtls } from '../wire/ttl.ts';
import type { AnswerDraft } from './answer-draft.ts';
import type { CacheQuestion } from './cache-question.ts';
import { DNSSEC_SHIFT, ENTRY_HEADER, type EntryMemory, STATE_KEPT } from './entry-memory.ts';
import { dnssecBits } from './key.ts';

/** A popular entry is asked for again when so much of its life is left, but not less than one second, nor more than half of it: what lives for a second would be asked for all the time. */
const REFRESH_PART = 0.1;
const REFRESH_LEAST_MS = 1000;
const REFRESH_MOST_PART = 0.5;

/** Bytes that the entry takes, before the slab rounds them up. */
export function entryLength(question: CacheQuestion, answer: AnswerDraft): number {
  const bytes =
    ENTRY_HEADER +
    (question.questionEnd - question.start - HEADER_LENGTH) +
    (answer.bodyEnd - answer.bodyStart) +
    (answer.optionsEnd - answer.optionsStart);
  return ((bytes + 1) & ~1) + 2 * answer.ttlCount + 6 * answer.groupCount;
}

/** Writes the entry at `at`, where there is room for `entryLength`; `entry-memory.ts` has its layout. TTLs are brought within the entry's life. */
export function writeEntry(
  memory: EntryMemory,
  at: number,
  key: number,
  type: number,
  question: CacheQuestion,
  answer: AnswerDraft,
  nowMs: number,
): void {
  let freshUntilMs = nowMs + answer.seconds * 1000;
  let refreshAtMs = Number.POSITIVE_INFINITY;
  if (answer.keptUntilMs !== 0) {
    refreshAtMs = answer.keptUntilMs;
    if (freshUntilMs > refreshAtMs) freshUntilMs = refreshAtMs;
  } else if (answer.isPrefetched) {
    const lifeMs = answer.seconds * 1000;
    refreshAtMs =
      freshUntilMs - Math.min(Math.max(REFRESH_LEAST_MS, lifeMs * REFRESH_PART), lifeMs * REFRESH_MOST_PART);
  }
  memory.f64[at >> 3] = freshUntilMs;
  memory.f64[(at >> 3) + 1] = refreshAtMs;
  memory.f64[(at >> 3) + 2] = 0;
  memory.u32[(at >> 2) + 6] = key;
  memory.u32[(at >> 2) + 7] = answer.seconds;
  writeFixed(memory.u16, at >> 1, question, answer);
  writeBytes(memory, at, type, question, answer);
}

function writeFixed(u16: Uint16Array, index: number, question: CacheQuestion, answer: AnswerDraft): void {
  u16[index + 16] = (entryLength(question, answer) + 15) >> 4;
  u16[index + 17] = answer.kind;
  const state = answer.keptUntilMs === 0 ? 0 : STATE_KEPT;
  u16[index + 18] = (dnssecBits(question.dnssecOk, question.flags) << DNSSEC_SHIFT) | state;
  u16[index + 19] = answer.flags;
  u16[index + 20] = answer.rcode;
  u16[index + 21] = answer.zone;
  u16[index + 22] = 0;
  u16[index + 23] = question.questionEnd - question.start - HEADER_LENGTH;
  u16[index + 24] = answer.bodyEnd - answer.bodyStart;
  u16[index + 25] = answer.answers;
  u16[index + 26] = answer.authorities;
  u16[index + 27] = answer.additionals;
  u16[index + 28] = answer.ttlCount;
  u16[index + 29] = answer.groupCount;
  u16[index + 30] = answer.optionsEnd - answer.optionsStart;
}

function writeBytes(memory: EntryMemory, at: number, type: number, question: CacheQuestion, answer: AnswerDraft): void {
  const { bytes, u16 } = memory;
  copyBytes(question.bytes, question.start + HEADER_LENGTH, question.questionEnd, bytes, at + ENTRY_HEADER);
  const body = memory.bodyStart(at);
  bytes[body - 4] = type >> 8;
  bytes[body - 3] = type;
  const afterBody = copyBytes(answer.message, answer.bodyStart, answer.bodyEnd, bytes, body);
  copyBytes(answer.options, answer.optionsStart, answer.optionsEnd, bytes, afterBody);
  const ttls = memory.ttlIndex(at);
  for (let i = 0; i < answer.ttlCount; i++) u16[ttls + i] = answer.ttlOffsets[i]!;
  const groups = ttls + answer.ttlCount;
  for (let i = 0; i < answer.groupCount * 3; i++) u16[groups + i] = answer.groups[i]!;
  capTtls(bytes, body, u16, ttls, answer.ttlCount, answer.seconds, answer.capSeconds);
}
