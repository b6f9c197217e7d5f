import type { Dispatcher } from 'undici';
import { type Clock, monotonicClock } from '../core/clock.ts';

/** So many readings are made as something comes, and one more each second: what changes now and then is heard of at once. */
const AT_ONCE = 5;
const ONE_MORE_MS = 1000;
/** After each other one nothing is read for so long. */
const REST_MS = 100;

type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/**
 * A response of many small pieces, read less often where they come one upon the other: to be woken costs more than most of what it is for. In a rest one piece more is taken at
 * most, what else comes stays with the kernel, and is read together. Not for where silence is taken for an answer: then `mayRest` says no.
 */
export class PacedResponse implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #mayRest: () => boolean;
  readonly #clock: Clock;
  #controller!: PacedController;
  /** Readings that may still be made at once, and when that was so. */
  #left = AT_ONCE;
  #leftMs = 0;
  /** From the first piece of a reading to the end of the rest after it. */
  #isOver = true;

  constructor(handler: Dispatcher.DispatchHandler, mayRest: () => boolean, clock: Clock = monotonicClock) {
    this.#handler = handler;
    this.#mayRest = mayRest;
    this.#clock = clock;
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#controller = new PacedController(controller);
    this.#handler.onRequestStart?.(this.#controller, context);
  }

  onResponseStart(_controller: Controller, statusCode: number, headers: Headers, statusMessage?: string): void {
    this.#handler.onResponseStart?.(this.#controller, statusCode, headers, statusMessage);
  }

  onResponseData(_controller: Controller, piece: Buffer): void {
    this.#handler.onResponseData?.(this.#controller, piece);
    if (!this.#isOver) return;
    this.#isOver = false;
    // All that has come with it is read in this turn of the loop.
    setImmediate(() => this.#afterReading());
  }

  onResponseEnd(_controller: Controller, trailers: Headers): void {
    this.#handler.onResponseEnd?.(this.#controller, trailers);
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#handler.onResponseError?.(this.#controller, error);
  }

  #afterReading(): void {
    if (this.#isAtOnce() || !this.#mayRest()) {
      this.#isOver = true;
      return;
    }
    this.#controller.isResting = true;
    setTimeout(() => {
      this.#isOver = true;
      this.#controller.isResting = false;
    }, REST_MS).unref();
  }

  #isAtOnce(): boolean {
    const nowMs = this.#clock.nowMs();
    this.#left = Math.min(AT_ONCE, this.#left + (nowMs - this.#leftMs) / ONE_MORE_MS);
    this.#leftMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

/** Stops the response while it rests, or whoever reads it can take no more. */
class PacedController implements Controller {
  readonly #controller: Controller;
  #isResting = false;
  #isFull = false;

  constructor(controller: Controller) {
    this.#controller = controller;
  }

  set isResting(isResting: boolean) {
    this.#isResting = isResting;
    this.#apply();
  }

  pause(): void {
    this.#isFull = true;
    this.#apply();
  }

  resume(): void {
    this.#isFull = false;
    this.#apply();
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  get aborted(): boolean {
    return this.#controller.aborted;
  }

  get paused(): boolean {
    return this.#controller.paused;
  }

  get reason(): Error | null {
    return this.#controller.reason;
  }

  #apply(): void {
    if (this.#isResting || this.#isFull) this.#controller.pause();
    else this.#controller.resume();
  }
}
