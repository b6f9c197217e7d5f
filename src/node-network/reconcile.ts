/** How long news are gathered before a look: one command of somebody's is many messages. */
const GATHER_MS = 100;

export interface ReconcileOptions {
  /** One look, and what it takes to mend. Never rejects. */
  look: () => Promise<void>;
  /** At least so long from one look's end to the next one that news bring. */
  restMs: number;
}

/** Looks now and then, and soon after news; one at a time, and never in a hurry: somebody who changes things all the time costs no more than a look each `restMs`. */
export class Reconcile {
  readonly #options: ReconcileOptions;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #endedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  /** Came during the look under way, which may have seen what was before them. */
  #hasNews = false;
  #everyMs = 0;
  #isRunning = false;

  constructor(options: ReconcileOptions) {
    this.#options = options;
  }

  /** `everyMs`: between looks that no news brought. */
  start(everyMs: number): void {
    this.#isRunning = true;
    this.#everyMs = everyMs;
    this.#arm(everyMs);
  }

  /** No more looks; resolves when one under way has ended. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#hasNews = false;
    clearTimeout(this.#timer);
    this.#dueMs = Number.POSITIVE_INFINITY;
    await this.#looking;
  }

  /** Something may have changed. */
  news(): void {
    if (!this.#isRunning) return;
    // Its end is where the rest begins.
    if (this.#looking !== undefined) {
      this.#hasNews = true;
      return;
    }
    const rest = this.#endedMs + this.#options.restMs - performance.now();
    this.#arm(Math.max(GATHER_MS, rest));
  }

  #arm(inMs: number): void {
    const dueMs = performance.now() + inMs;
    if (dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => this.#run(), inMs).unref();
  }

  #run(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    // Of before a stop.
    if (this.#looking !== undefined) return;
    this.#looking = this.#options.look().finally(() => {
      this.#looking = undefined;
      this.#endedMs = performance.now();
      if (!this.#isRunning) return;
      this.#arm(this.#everyMs);
      if (this.#hasNews) this.news();
      this.#hasNews = false;
    });
  }
}
