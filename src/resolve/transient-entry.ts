import type { AnswerDraft } from '../cache/answer-draft.ts';
import type { CacheQuestion } from '../cache/cache-question.ts';
import { EntryMemory } from '../cache/entry-memory.ts';
import { writeEntry } from '../cache/entry-writer.ts';

/** A message of 64 KiB whose records are as small as can be: 12 KiB of TTL offsets and 18 KiB of groups beside it. */
const MOST_BYTES = 100 * 1024;

/** An answer that is not kept, in the form of one that is, so that replies are made of both in the same way. Lives at offset 0. */
export class TransientEntry {
  readonly memory = new EntryMemory(MOST_BYTES);

  write(question: CacheQuestion, answer: AnswerDraft, nowMs: number): void {
    writeEntry(this.memory, 0, 0, question.type, question, answer, nowMs);
  }
}
