import type { Clock } from '../core/clock.ts';
import type { Portions } from '../core/portions.ts';
import type { TimerWheel } from '../core/timer-wheel.ts';
import type { Ask, Failure } from './ask.ts';
import { findTry, Inquiry, type InquiryOwner, type Try } from './inquiry.ts';
import type { Policy } from './policy/policy.ts';
import type { Upstream } from './upstream.ts';

/** Each question earns a twentieth of a second one, so that hedges never load the upstreams by more than that; so many can be saved up. */
const HEDGE_SHARE = 0.05;
const HEDGES_SAVED = 10;

export interface ForwarderOptions {
  upstreams: readonly Upstream[];
  policy: Policy;
  /** One try; all tries together. */
  tryMs: number;
  totalMs: number;
}

export interface ForwarderParts {
  clock: Clock;
  wheel: TimerWheel;
  /** Questions leave in portions, so that hits do not wait behind misses. */
  departures: Portions<Inquiry>;
  /** 0 to 1. */
  random: () => number;
}

/** Answers the questions of one zone from its upstreams. */
export class Forwarder implements InquiryOwner {
  readonly tryMs: number;
  readonly totalMs: number;
  readonly #upstreams: readonly Upstream[];
  readonly #policy: Policy;
  readonly #parts: ForwarderParts;
  readonly #candidates: Upstream[] = [];
  readonly #failed: Inquiry[] = [];
  readonly #failures: Failure[] = [];
  readonly #fail = (): void => this.#tellFailures();
  #savedHedges = 1;
  /** Read by the metrics: seconds upstreams asked; questions while all were down; questions that no upstream had room for. */
  hedges = 0;
  allDown = 0;
  rejected = 0;

  constructor({ upstreams, policy, tryMs, totalMs }: ForwarderOptions, parts: ForwarderParts) {
    this.#upstreams = upstreams;
    this.#policy = policy;
    this.tryMs = tryMs;
    this.totalMs = totalMs;
    this.#parts = parts;
  }

  /** Whether every upstream is down, so that an answer is not to be hoped for. */
  get isAllDown(): boolean {
    for (const upstream of this.#upstreams) if (!upstream.isDown) return false;
    return true;
  }

  /** Asks the upstreams. Exactly one of the two callbacks of `ask` is called, once, and not before this has returned. */
  ask(ask: Ask): void {
    if (this.#savedHedges < HEDGES_SAVED) this.#savedHedges += HEDGE_SHARE;
    this.#parts.departures.add(new Inquiry(this, ask));
  }

  onRefused(inquiry: Inquiry, failure: Failure): void {
    if (failure === 'overload') this.rejected++;
    if (this.#failed.length === 0) setImmediate(this.#fail);
    this.#failed.push(inquiry);
    this.#failures.push(failure);
  }

  /** What fails meanwhile waits for the next turn. */
  #tellFailures(): void {
    const failed = this.#failed.splice(0);
    const failures = this.#failures.splice(0);
    for (const [index, inquiry] of failed.entries()) inquiry.fail(failures[index]!);
  }

  chooseFirst(): Upstream | undefined {
    const upstream = this.#choose(undefined);
    if (upstream !== undefined) return upstream;
    this.allDown++;
    return this.#chooseDown();
  }

  chooseNext(lastTry: Try | undefined, mayRepeat: boolean): Upstream | undefined {
    const untried = this.#choose(lastTry);
    if (untried !== undefined || !mayRepeat) return untried;
    this.#collect(undefined);
    const [only] = this.#candidates;
    if (this.#candidates.length === 1) return only;
    // It has just become down, and there never was another.
    return this.#upstreams.length === 1 ? this.#chooseDown() : undefined;
  }

  #choose(lastTry: Try | undefined): Upstream | undefined {
    this.#collect(lastTry);
    return this.#candidates.length === 0 ? undefined : this.#candidates[this.#policy.choose(this.#candidates)];
  }

  /** Those that live and were not tried. */
  #collect(lastTry: Try | undefined): void {
    let count = 0;
    for (const upstream of this.#upstreams) {
      if (!upstream.isDown && findTry(lastTry, upstream) === undefined) this.#candidates[count++] = upstream;
    }
    this.#candidates.length = count;
  }

  /** All are down: a random one, or the one after it, that has not been asked within the last second. */
  #chooseDown(): Upstream | undefined {
    const { length } = this.#upstreams;
    const first = Math.floor(this.#parts.random() * length);
    for (let i = 0; i < length; i++) {
      const upstream = this.#upstreams[(first + i) % length]!;
      if (upstream.takeDownTry(this.#parts.clock.nowMs())) return upstream;
    }
    return undefined;
  }

  hedgeAfterMs(upstream: Upstream): number {
    return this.#upstreams.length > 1 && upstream.hedgeMs < this.tryMs ? upstream.hedgeMs : 0;
  }

  takeHedge(): boolean {
    if (this.#savedHedges < 1) return false;
    this.#savedHedges--;
    this.hedges++;
    return true;
  }

  nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  setTimer(timer: Try, delayMs: number): void {
    this.#parts.wheel.set(timer, delayMs);
  }

  clearTimer(timer: Try): void {
    this.#parts.wheel.clear(timer);
  }
}
