import type { Clock } from '../core/clock.ts';
import { findTry, type Try } from './inquiry.ts';
import type { Policy } from './policy/policy.ts';
import {
  STANDING_DOUBTFUL,
  STANDING_DOWN,
  STANDING_GOOD,
  STANDING_LOOPED,
  STANDING_SLOW,
  type Standing,
} from './standing.ts';
import type { Upstream } from './upstream.ts';

/** So many questions whose answers others contradicted, one after the other: it says no to everything. */
const REFUTED_AFTER = 3;

/** Upstreams by rank: those of the first list are asked while one of them stands as well as any of a later one. Equal ones share a list. */
export type Ranks = readonly (readonly Upstream[])[];

export interface SelectionParts {
  upstreams: readonly Upstream[];
  policy: Policy;
  clock: Clock;
  /** 0 to 1. */
  random: () => number;
}

/**
 * Whom to ask next, of a zone's upstreams. The policy chooses, among those that stand best:
 *
 *   good ──usual answer later than a hedge to the fastest would be sent, or 3 refusals that others contradicted──▶ slow
 *     │                                                 (asked beside another one now and then, which shows when it is better)
 *     ├──owes replies for longer than nearly all took, and than another would take; or failed──▶ doubtful   (any reply ends it)
 *     ├──3 failures in a row──▶ down        (probed; one client's question a second where all are down)
 *     └──our own probe came back──▶ looped  (asked only whether it still is so)
 *
 * So a silent one is left after its own p95, long before a time limit, and a slow one as soon as a few replies have told; no client waits to find out that
 * it is better again. With `sequential` the order is the user's will: there only silence counts. Where upstreams have ranks, those of the lower rank are taken of
 * those that stand equally.
 */
export class Selection {
  /** Lead back to us, for this zone. */
  readonly looped = new Set<Upstream>();
  #upstreams: readonly Upstream[];
  /** Undefined: all are equal. */
  #ranks: ReadonlyMap<Upstream, number> | undefined = undefined;
  readonly #policy: Policy;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #candidates: Upstream[] = [];
  /** What the fastest of those takes that owe nothing for too long: so late the others may be. Infinity where there is none. */
  #punctualMs = Number.POSITIVE_INFINITY;
  /** After which the fastest that is not doubtful would be hedged; Infinity where none is known well. */
  #fastestHedgeMs = Number.POSITIVE_INFINITY;
  #hasSlow = false;

  constructor({ upstreams, policy, clock, random }: SelectionParts) {
    this.#upstreams = upstreams;
    this.#policy = policy;
    this.#clock = clock;
    this.#random = random;
  }

  get upstreams(): readonly Upstream[] {
    return this.#upstreams;
  }

  /** Chooses among others from the next question on. */
  replace(ranks: Ranks): void {
    this.#upstreams = ranks.flat();
    const pairs = ranks.flatMap((list, rank) => list.map((upstream) => [upstream, rank] as const));
    this.#ranks = ranks.length > 1 ? new Map(pairs) : undefined;
    for (const upstream of this.looped) if (!this.#upstreams.includes(upstream)) this.looped.delete(upstream);
  }

  /** Of an upstream: 0 is asked first. */
  rank(upstream: Upstream): number {
    return this.#ranks?.get(upstream) ?? 0;
  }

  get isAllDown(): boolean {
    for (const upstream of this.#upstreams) if (!upstream.isDown && !this.looped.has(upstream)) return false;
    return true;
  }

  get isAllLooped(): boolean {
    return this.looped.size === this.#upstreams.length;
  }

  /** As configured, those that live before those that are down, and none that leads back to us: what may have an effect is not spread over servers. */
  inOrder(): Upstream[] {
    const others = this.#upstreams.filter((upstream) => !this.looped.has(upstream));
    return [...others.filter(({ isDown }) => !isDown), ...others.filter(({ isDown }) => isDown)];
  }

  /** Whether one was passed over as slow when last chosen: it is to be asked beside another now and then. */
  get hasSlow(): boolean {
    return this.#hasSlow;
  }

  /** One that was not tried and stands no worse than `worst`, of those that stand best; undefined where there is none. */
  choose(lastTry: Try | undefined, worst: Standing = STANDING_DOUBTFUL): Upstream | undefined {
    this.#collect(lastTry, worst);
    const candidates = this.#candidates;
    return candidates.length === 0 ? undefined : candidates[this.#policy.choose(candidates)];
  }

  /** Where only one lives, that one, tried or not. */
  chooseOnly(): Upstream | undefined {
    let only: Upstream | undefined;
    for (const upstream of this.#upstreams) {
      if (upstream.isDown || this.looped.has(upstream)) continue;
      if (only !== undefined) return undefined;
      only = upstream;
    }
    // It has just become down, and there never was another.
    return only ?? (this.#upstreams.length === 1 ? this.chooseDown() : undefined);
  }

  /** One that is slow and was not tried; undefined where there is none. */
  chooseSlow(lastTry: Try | undefined): Upstream | undefined {
    const nowMs = this.#clock.nowMs();
    const { length } = this.#upstreams;
    const first = Math.floor(this.#random() * length);
    for (let i = 0; i < length; i++) {
      const upstream = this.#upstreams[(first + i) % length]!;
      if (this.#standing(upstream, nowMs) === STANDING_SLOW && findTry(lastTry, upstream) === undefined)
        return upstream;
    }
    return undefined;
  }

  /** All are down: a random one, or the one after it, that has not been asked within the last second. */
  chooseDown(): Upstream | undefined {
    const nowMs = this.#clock.nowMs();
    const { length } = this.#upstreams;
    const first = Math.floor(this.#random() * length);
    for (let i = 0; i < length; i++) {
      const upstream = this.#upstreams[(first + i) % length]!;
      if (!this.looped.has(upstream) && upstream.takeDownTry(nowMs)) return upstream;
    }
    return undefined;
  }

  /** After which another one is asked as well, for `upstream` is late: by the fastest's measure. 0: never. */
  hedgeMs(upstream: Upstream): number {
    if (this.#upstreams.length === 1 || this.#policy.keepsOrder) return 0;
    return Math.min(this.#fastestHedgeMs, upstream.hedgeMs);
  }

  /** For people: each question looks anew. */
  standing(upstream: Upstream): Standing {
    const nowMs = this.#clock.nowMs();
    this.#compare(nowMs);
    return this.#standing(upstream, nowMs);
  }

  /** Those that were not tried and stand best, no worse than `worst`. */
  #collect(lastTry: Try | undefined, worst: Standing): void {
    const nowMs = this.#clock.nowMs();
    let best: number = worst;
    let bestRank = Number.POSITIVE_INFINITY;
    let count = 0;
    this.#hasSlow = false;
    if (this.#upstreams.length > 1) this.#compare(nowMs);
    for (const upstream of this.#upstreams) {
      const standing = this.#standing(upstream, nowMs);
      if (standing === STANDING_SLOW) this.#hasSlow = true;
      if (standing > best || findTry(lastTry, upstream) !== undefined) continue;
      const rank = this.#ranks === undefined ? 0 : this.rank(upstream);
      if (standing === best && rank > bestRank) continue;
      if (standing < best || rank < bestRank) count = 0;
      best = standing;
      bestRank = rank;
      this.#candidates[count++] = upstream;
    }
    this.#candidates.length = count;
  }

  #compare(nowMs: number): void {
    this.#punctualMs = Number.POSITIVE_INFINITY;
    this.#fastestHedgeMs = Number.POSITIVE_INFINITY;
    for (const upstream of this.#upstreams) {
      if (!this.#isOf(upstream) || upstream.lateMs(nowMs) > 0) continue;
      this.#punctualMs = Math.min(this.#punctualMs, upstream.roundTrips.smoothedMs);
    }
    for (const upstream of this.#upstreams) {
      if (!this.#isOf(upstream) || !upstream.isKnown || this.#isDoubtful(upstream, nowMs)) continue;
      this.#fastestHedgeMs = Math.min(this.#fastestHedgeMs, upstream.hedgeMs);
    }
  }

  /** Whether it is one that the others are measured by. */
  #isOf(upstream: Upstream): boolean {
    return !upstream.isDown && upstream.refuted < REFUTED_AFTER && !this.looped.has(upstream);
  }

  /** A pause of the fast one is no reason to wait longer for a slow one. */
  #isDoubtful(upstream: Upstream, nowMs: number): boolean {
    return upstream.health.isDoubtful || upstream.lateMs(nowMs) > this.#punctualMs;
  }

  #standing(upstream: Upstream, nowMs: number): Standing {
    if (this.looped.size > 0 && this.looped.has(upstream)) return STANDING_LOOPED;
    if (upstream.isDown) return STANDING_DOWN;
    if (this.#policy.keepsOrder) return upstream.isSilent(nowMs) ? STANDING_DOUBTFUL : STANDING_GOOD;
    if (this.#isDoubtful(upstream, nowMs)) return STANDING_DOUBTFUL;
    const isSlow = upstream.roundTrips.smoothedMs > this.#fastestHedgeMs || upstream.refuted >= REFUTED_AFTER;
    return isSlow ? STANDING_SLOW : STANDING_GOOD;
  }
}
