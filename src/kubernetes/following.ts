import type { Clock } from '../core/clock.ts';

export interface FollowingParts {
  readonly clock: Clock;
  /** So long after a watch ended in good order the next one may begin, and nothing was broken: it goes on where the other ended. */
  readonly renewalMs: number;
  /** So long nothing may come after a break for all that was missed to count as come. */
  readonly quietMs: number;
  /** Changes arrive, after a break or as before. Must not throw, nor may `onChange`. */
  readonly onLive: () => void;
  /** `isLive` is another. */
  readonly onChange: () => void;
}

/** In a cluster that is never quiet: 3 s are enough for some 50,000 events. */
const MOST_CATCH_UP_MS = 3000;

/**
 * Whether all that there is is known and changes arrive, and since when not.
 *
 *     broken ──begin──▶ live ──end──▶ broken ──catchUp──▶ (events that were missed) ──bookmark, or quiet──▶ live
 *                        │ ▲
 *                  renew ▼ │ begin, soon enough
 *                     between two watches
 */
export class Following {
  readonly #parts: FollowingParts;
  #liveSinceMs: number | undefined;
  #lastLiveMs: number | undefined;
  /** Runs between the end of one watch and the beginning of the next. */
  #renewal: NodeJS.Timeout | undefined;
  /** Runs while events that were missed may still be coming. */
  #catchUp: NodeJS.Timeout | undefined;
  #catchUpSinceMs = 0;

  constructor(parts: FollowingParts) {
    this.#parts = parts;
  }

  get isLive(): boolean {
    return this.#liveSinceMs !== undefined;
  }

  /** How long what is known may have been out of date; 0 while it is followed; undefined where nothing was ever known. */
  get staleMs(): number | undefined {
    if (this.#liveSinceMs !== undefined) return 0;
    return this.#lastLiveMs === undefined ? undefined : this.#parts.clock.nowMs() - this.#lastLiveMs;
  }

  /** All that there is was told. */
  listed(): void {
    this.#lastLiveMs = this.#parts.clock.nowMs();
  }

  begin(): void {
    this.clearTimers();
    const wasLive = this.isLive;
    this.#liveSinceMs = this.#parts.clock.nowMs();
    this.#parts.onLive();
    if (!wasLive) this.#parts.onChange();
  }

  /** For how long it was live, since it last began; 0 where it was not. */
  end(): number {
    this.clearTimers();
    if (this.#liveSinceMs === undefined) return 0;
    this.#lastLiveMs = this.#parts.clock.nowMs();
    const liveMs = this.#lastLiveMs - this.#liveSinceMs;
    this.#liveSinceMs = undefined;
    this.#parts.onChange();
    return liveMs;
  }

  /** A watch ended in good order. */
  renew(): void {
    this.clearTimers();
    this.#renewal = setTimeout(() => this.end(), this.#parts.renewalMs).unref();
  }

  /** Goes on after a break: events that were missed come one upon the other, and nobody says which is the last. */
  catchUp(): void {
    // A watch that ended before it had come so far may still be waited to be renewed.
    this.clearTimers();
    this.#catchUpSinceMs = this.#parts.clock.nowMs();
    this.#catchUp = setTimeout(() => this.begin(), this.#parts.quietMs).unref();
  }

  /** An event came. What was missed is older than any bookmark. */
  came(isBookmark: boolean): void {
    if (this.#catchUp === undefined) return;
    const isLong = this.#parts.clock.nowMs() - this.#catchUpSinceMs > MOST_CATCH_UP_MS;
    if (isBookmark || isLong) this.begin();
    else this.#catchUp.refresh();
  }

  clearTimers(): void {
    clearTimeout(this.#renewal);
    clearTimeout(this.#catchUp);
    this.#catchUp = undefined;
  }
}
