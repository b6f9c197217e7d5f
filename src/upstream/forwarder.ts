import type { Clock } from '../core/clock.ts';
import type { Portions } from '../core/portions.ts';
import type { TimerWheel } from '../core/timer-wheel.ts';
import type { Ask, Failure } from './ask.ts';
import { Inquiry, type InquiryOwner, type Try } from './inquiry.ts';
import type { Policy } from './policy/policy.ts';
import { Selection } from './selection.ts';
import { STANDING_DOUBTFUL, STANDING_SLOW } from './standing.ts';
import type { Upstream } from './upstream.ts';

/** Each question earns a twentieth of a second one, so that hedges never load the upstreams by more than that; so many can be saved up. */
const HEDGE_SHARE = 0.05;
const HEDGES_SAVED = 10;

/** One question in so many is asked of an upstream that is too slow to be asked first, too: how else would it show that it is better? Paid like a hedge. */
const EXTRA_EVERY = 32;

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
  readonly selection: Selection;
  readonly #parts: ForwarderParts;
  readonly #failed: Inquiry[] = [];
  readonly #failures: Failure[] = [];
  readonly #fail = (): void => this.#tellFailures();
  #savedHedges = 1;
  #sinceExtra = 0;
  /**
   * Read by the metrics: second upstreams asked; questions taken to another because theirs stopped answering; questions while all were down; questions that no
   * upstream had room for.
   */
  hedges = 0;
  moved = 0;
  allDown = 0;
  rejected = 0;

  constructor({ upstreams, policy, tryMs, totalMs }: ForwarderOptions, parts: ForwarderParts) {
    const { clock, random } = parts;
    this.selection = new Selection({ upstreams, policy, clock, random });
    this.tryMs = tryMs;
    this.totalMs = totalMs;
    this.#parts = parts;
  }

  /** Whether every upstream is down or leads back to us, so that an answer is not to be hoped for. */
  get isAllDown(): boolean {
    return this.selection.isAllDown;
  }

  relayTargets(): Upstream[] {
    return this.selection.inOrder();
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
    this.#failures.push(failure === 'all-down' && this.selection.isAllLooped ? 'looped' : failure);
  }

  /** What fails meanwhile waits for the next turn. */
  #tellFailures(): void {
    const failed = this.#failed.splice(0);
    const failures = this.#failures.splice(0);
    for (const [index, inquiry] of failed.entries()) inquiry.fail(failures[index]!);
  }

  chooseFirst(): Upstream | undefined {
    const upstream = this.selection.choose(undefined);
    if (upstream !== undefined) return upstream;
    this.allDown++;
    return this.selection.chooseDown();
  }

  chooseNext(lastTry: Try | undefined, mayRepeat: boolean): Upstream | undefined {
    return this.selection.choose(lastTry) ?? (mayRepeat ? this.selection.chooseOnly() : undefined);
  }

  chooseExtra(lastTry: Try | undefined): Upstream | undefined {
    if (!this.selection.hasSlow || ++this.#sinceExtra < EXTRA_EVERY) return undefined;
    this.#sinceExtra = 0;
    const upstream = this.selection.chooseSlow(lastTry);
    return upstream !== undefined && this.#takeHedge() ? upstream : undefined;
  }

  hedgeAfterMs(upstream: Upstream): number {
    const hedgeMs = this.selection.hedgeMs(upstream);
    return hedgeMs < this.tryMs ? hedgeMs : 0;
  }

  chooseHedge(lastTry: Try | undefined, slow: Upstream): Upstream | undefined {
    const upstream = this.selection.choose(lastTry, STANDING_SLOW);
    if (upstream === undefined) return undefined;
    if (this.#takeHedge()) return upstream;
    // No question is to wait for one that stopped while another answers: that is no hedge, but fail-over. To one that takes longer than the pause so far it is neither.
    if (!slow.hasStopped(this.#parts.clock.nowMs()) || this.selection.standing(slow) < STANDING_DOUBTFUL)
      return undefined;
    this.moved++;
    return upstream;
  }

  #takeHedge(): boolean {
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
