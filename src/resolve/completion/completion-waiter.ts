import type { Traffic } from '../../metrics/traffic.ts';
import { copyBytes } from '../../wire/copy.ts';
import type { QueryView } from '../../wire/query.ts';
import type { Client, ReplySink } from '../client.ts';

/** A client that waits until it is decided what its query gets; then it stands for that client, whatever that is. */
export class CompletionWaiter implements Client {
  /** Its query. */
  readonly message: Uint8Array;
  readonly isStream: boolean;
  readonly traffic: Traffic;
  readonly peer: string;
  readonly receivedMs: number;
  readonly sink: ReplySink;
  /** Who came after this one. */
  next: CompletionWaiter | undefined = undefined;

  /** The listener's buffer is its own again when this returns. `peer`: '' where nobody logs it. */
  constructor(query: QueryView, client: Client, sink: ReplySink, nowMs: number, peer: string) {
    this.message = new Uint8Array(query.end - query.start);
    copyBytes(query.bytes, query.start, query.end, this.message, 0);
    this.isStream = client.isStream;
    this.traffic = client.traffic;
    this.peer = peer;
    this.receivedMs = nowMs;
    this.sink = sink;
  }

  /** It was completed once, or never will be: nobody asks. */
  readAddress(target: Uint8Array): void {
    target.fill(0, 0, 16);
  }

  hold(): ReplySink {
    return this.sink;
  }

  holdStream(): undefined {
    return undefined;
  }
}
