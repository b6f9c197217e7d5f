/** What was asked so long ago was given up by then, which `Health` was told: as a sign of silence it is worth nothing more. */
const FORGOTTEN_MS = 5000;

/** The questions that an upstream was asked since it gave its last reply. It tells of silence long before a time limit does. */
export class Owed {
  count = 0;
  #sinceMs = 0;

  add(nowMs: number): void {
    if (this.count === 0 || nowMs - this.#sinceMs > FORGOTTEN_MS) {
      this.count = 0;
      this.#sinceMs = nowMs;
    }
    this.count++;
  }

  /** A reply came, whichever. */
  clear(): void {
    this.count = 0;
  }

  /** How long the first of them has waited; 0 where none does. */
  forMs(nowMs: number): number {
    const ms = nowMs - this.#sinceMs;
    return this.count === 0 || ms > FORGOTTEN_MS ? 0 : ms;
  }
}
