import type { AnswerCache } from '../../cache/answer-cache.ts';
import { EntryLinks } from '../../cache/entry-links.ts';
import type { Clock } from '../../core/clock.ts';
import { GROUP_LINKS } from '../../core/limits.ts';
import { inSlices, type Steps } from '../../core/slices.ts';
import type { ServiceGroups } from './service-groups.ts';

/** A walk of all notes takes some 10 ms, a millisecond a turn: at most a thousandth of the thread. */
const SWEEP_EVERY_MS = 10_000;

export interface ServiceNotesParts {
  cache: AnswerCache;
  clock: Clock;
}

/** Which cached answers are about which Service, noted when they are kept, so that a change finds them. */
export class ServiceNotes {
  readonly #parts: ServiceNotesParts;
  readonly #links = new EntryLinks();
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ServiceNotesParts) {
    this.#parts = parts;
  }

  /** Entries noted, once for each of their groups. */
  get size(): number {
    return this.#links.size;
  }

  /** Notes the entry under a key, whose groups were just read. False: a change would not find it. */
  note(key: number, { groups, count, isCut }: ServiceGroups): boolean {
    const links = this.#links;
    let isNoted = !isCut;
    for (let i = 0; i < count; i++) {
      const group = groups[i]!;
      if (links.isCrowded(group)) this.#forgetOthers(group, key);
      if (!links.add(group, key)) isNoted = false;
    }
    if (!isNoted) this.#sweep();
    return isNoted;
  }

  /** See `EntryLinks.take`. */
  take(group: number, visit: (key: number) => void): void {
    this.#links.take(group, visit);
  }

  /** See `EntryLinks.forEach`. */
  forEach(visit: (key: number) => void): Steps<void> {
    return this.#links.forEach(visit);
  }

  /** Anybody can make names below a Service, or of addresses, that are not there: as many as they like would go in one turn when it changes. */
  #forgetOthers(group: number, key: number): void {
    const { cache } = this.#parts;
    GROUP_LINKS.hits++;
    this.#links.takeRow(group, (other) => {
      const at = other === key ? -1 : cache.entry(other);
      if (at !== -1) cache.forget(at);
    });
  }

  /** Entries come and go without a word; when there is no room for more, those that went are looked for. */
  #sweep(): void {
    const { cache, clock } = this.#parts;
    const nowMs = clock.nowMs();
    if (nowMs - this.#sweptMs < SWEEP_EVERY_MS) return;
    this.#sweptMs = nowMs;
    void inSlices(this.#links.sweep((key) => cache.entry(key) !== -1));
  }
}
