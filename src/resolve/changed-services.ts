import { CHANGED_SERVICES } from '../core/limits.ts';

/** No answer of a cluster zone lives longer: what was known before a change that is not remembered is gone in any case. */
export const REMEMBERED_MS = 30_000;

export interface ChangedService {
  changedMs: number;
  /** When what is cached of it was last dropped. */
  droppedMs: number;
  /** It will be dropped once more. */
  isPending: boolean;
}

/** When Services changed lately, by their groups. */
export class ChangedServices {
  /** The one that changed longest ago stands first. */
  readonly #changes = new Map<number, ChangedService>();
  /** Changes that found no room are taken to be of any Service. */
  #forgottenMs = Number.NEGATIVE_INFINITY;
  /** The last change of all. */
  lastMs = Number.NEGATIVE_INFINITY;

  /** Notes a change, and returns what is known of that Service's. */
  note(group: number, nowMs: number): ChangedService {
    const known = this.#changes.get(group);
    const change = known ?? { changedMs: nowMs, droppedMs: Number.NEGATIVE_INFINITY, isPending: false };
    change.changedMs = nowMs;
    this.lastMs = nowMs;
    if (known !== undefined) this.#changes.delete(group);
    this.#changes.set(group, change);
    this.#forget(nowMs);
    return change;
  }

  /** How long ago, in ms, a Service changed; Infinity, or some time above REMEMBERED_MS, where nothing is known of it. */
  ageMs(group: number, nowMs: number): number {
    if (nowMs - this.lastMs > REMEMBERED_MS) return Number.POSITIVE_INFINITY;
    return nowMs - (this.#changes.get(group)?.changedMs ?? this.#forgottenMs);
  }

  #forget(nowMs: number): void {
    for (const [group, { changedMs }] of this.#changes) {
      const isFull = this.#changes.size > CHANGED_SERVICES.value;
      if (nowMs - changedMs < REMEMBERED_MS && !isFull) return;
      this.#changes.delete(group);
      if (!isFull) continue;
      CHANGED_SERVICES.hits++;
      this.#forgottenMs = changedMs;
    }
  }
}
