import { CHANGED_SERVICES } from '../../core/limits.ts';

/** No answer of a cluster zone lives longer: what was known before a change that is not remembered is gone in any case. */
export const REMEMBERED_MS = 30_000;

/** What is old is looked for that often: to skip what was deleted in front costs most. */
const FORGET_EVERY_MS = 1000;
/** As many are given up at once where there are too many. */
const FORGOTTEN_PART = 1 / 8;

export interface ChangedService {
  changedMs: number;
  /** When what is cached of it was last dropped, and how often since when. */
  droppedMs: number;
  drops: number;
  dropsSinceMs: number;
  /** It will be dropped once more. */
  isPending: boolean;
}

/** When Services changed lately, by their groups. */
export class ChangedServices {
  /** The one that changed longest ago stands first. */
  readonly #changes = new Map<number, ChangedService>();
  #forgotAtMs = Number.NEGATIVE_INFINITY;
  /** Changes that found no room are taken to be of any Service. */
  #forgottenMs = Number.NEGATIVE_INFINITY;
  /** The last change of all. */
  lastMs = Number.NEGATIVE_INFINITY;

  /** Notes a change, and returns what is known of that Service's. */
  note(group: number, nowMs: number): ChangedService {
    const known = this.#changes.get(group);
    const change = known ?? { changedMs: nowMs, droppedMs: nowMs, drops: 0, dropsSinceMs: nowMs, isPending: false };
    change.changedMs = nowMs;
    this.lastMs = nowMs;
    if (known !== undefined) this.#changes.delete(group);
    this.#changes.set(group, change);
    if (nowMs - this.#forgotAtMs >= FORGET_EVERY_MS) this.#forget(nowMs);
    if (this.#changes.size > CHANGED_SERVICES.value) this.#makeRoom();
    return change;
  }

  /** How long ago, in ms, a Service changed; Infinity, or some time above REMEMBERED_MS, where nothing is known of it. */
  ageMs(group: number, nowMs: number): number {
    if (nowMs - this.lastMs > REMEMBERED_MS) return Number.POSITIVE_INFINITY;
    return nowMs - (this.#changes.get(group)?.changedMs ?? this.#forgottenMs);
  }

  #forget(nowMs: number): void {
    this.#forgotAtMs = nowMs;
    for (const [group, { changedMs }] of this.#changes) {
      if (nowMs - changedMs < REMEMBERED_MS) return;
      this.#changes.delete(group);
    }
  }

  #makeRoom(): void {
    CHANGED_SERVICES.hits++;
    let left = Math.ceil(CHANGED_SERVICES.value * FORGOTTEN_PART);
    for (const [group, { changedMs }] of this.#changes) {
      if (left-- === 0) return;
      this.#changes.delete(group);
      this.#forgottenMs = changedMs;
    }
  }
}
