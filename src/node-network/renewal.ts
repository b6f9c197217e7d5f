import type { Clock } from '../core/clock.ts';

/** The switch holds for three seconds: two renewals may fail. */
const EVERY_MS = 1000;

export interface RenewalOptions {
  clock: Clock;
  renew: () => Promise<void>;
  /** Whether the agent answers. */
  isServing: () => boolean;
  onError: (error: Error) => void;
}

/** Counts that outlive a renewal's pauses. */
export class RenewalCounts {
  renewals = 0;
  /** Seconds in which it was not renewed, since the agent could not show that it serves. */
  notServing = 0;
  /** By the clock; undefined: never yet. */
  renewedMs: number | undefined;
}

/** Renews the switch every second, while the agent serves. One at a time: one that the kernel holds up takes the place of the next. */
export class Renewal {
  readonly #options: RenewalOptions;
  readonly #counts: RenewalCounts;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RenewalOptions, counts: RenewalCounts) {
    this.#options = options;
    this.#counts = counts;
  }

  /** Resolves when the first one has been tried. */
  start(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.renew(), EVERY_MS).unref();
    return this.renew();
  }

  /** No more; resolves when one under way has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  /** Out of turn. Nothing while stopped: the switch is somebody else's then. */
  async renew(): Promise<void> {
    if (this.#timer === undefined) return;
    this.#running ??= this.#renewOnce().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #renewOnce(): Promise<void> {
    const { clock, renew, isServing, onError } = this.#options;
    try {
      if (!isServing()) {
        this.#counts.notServing++;
        return;
      }
      // The three seconds begin somewhere in the call: at its begin, to be on the safe side.
      const beganMs = clock.nowMs();
      await renew();
      this.#counts.renewals++;
      this.#counts.renewedMs = beganMs;
    } catch (error) {
      onError(error as Error);
    }
  }
}
