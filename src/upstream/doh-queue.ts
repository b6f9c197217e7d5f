import type { DohStream } from './doh-stream.ts';

/** Behind so many that have left, the others move up. */
const LEFT_MOST = 256;

/** Questions that wait until the server takes more, in the order in which they came. What has left is let go of, also where there is always one that waits. */
export class DohQueue {
  #streams: DohStream[] = [];
  /** Those before it have left. */
  #next = 0;

  get isEmpty(): boolean {
    return this.#next === this.#streams.length;
  }

  get first(): DohStream | undefined {
    return this.#streams[this.#next];
  }

  push(stream: DohStream): void {
    this.#streams.push(stream);
  }

  /** Lets the first one leave. */
  shift(): void {
    this.#next++;
    if (!this.isEmpty && (this.#next < LEFT_MOST || this.#next < this.#streams.length / 2)) return;
    this.#streams = this.#streams.slice(this.#next);
    this.#next = 0;
  }

  /** Lets all leave. */
  takeAll(): DohStream[] {
    const all = this.#streams.slice(this.#next);
    this.#streams = [];
    this.#next = 0;
    return all;
  }
}
