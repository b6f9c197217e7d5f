import type { Traffic } from '../metrics/traffic.ts';
import { copyBytes } from '../wire/copy.ts';
import type { QueryView } from '../wire/query.ts';
import type { Client, ReplySink } from './client.ts';

/** Queries are shorter, nearly all. */
const USUAL_BYTES = 128;

/** A client that waits for an answer: a copy of its message, and where the reply goes. Used again when it has its answer: `begin` sets what it is about. */
export class Waiter {
  /** Its query lies in [0, end). */
  message = new Uint8Array(USUAL_BYTES);
  end = 0;
  sink!: ReplySink;
  isStream = false;
  traffic!: Traffic;
  receivedMs = 0;
  /** Who joined the same flight after this one. */
  next: Waiter | undefined = undefined;

  /** The listener's buffer is its own again when this returns. */
  begin(query: QueryView, client: Client, sink: ReplySink, nowMs: number): void {
    const length = query.end - query.start;
    if (length > this.message.length) this.message = new Uint8Array(length);
    this.end = copyBytes(query.bytes, query.start, query.end, this.message, 0);
    this.sink = sink;
    this.isStream = client.isStream;
    this.traffic = client.traffic;
    this.receivedMs = nowMs;
    this.next = undefined;
  }

  /** Whether it takes no more memory than others. */
  get isUsual(): boolean {
    return this.message.length === USUAL_BYTES;
  }
}
