import type { Limit } from '../core/limits.ts';
import { BATCH, SLOT_BYTES } from '../native/batch-layout.ts';
import type { DatagramBatch } from '../native/datagram-batch.ts';
import type { Reply } from '../wire/reply.ts';

export interface UdpOutboxParts {
  batch: DatagramBatch;
  backlog: Limit;
  /** Asks for one call of `onWritable`. */
  awaitWritable: () => void;
}

/** A message that the kernel would not take, and to whom it goes. */
interface Waiting {
  readonly message: Uint8Array<ArrayBuffer>;
  readonly envelope: Uint8Array;
}

/** Answers that did not come in the call that asked: those of one turn leave together. What the kernel does not take waits here. */
export class UdpOutbox {
  readonly #batch: DatagramBatch;
  readonly #backlog: Limit;
  readonly #awaitWritable: () => void;
  readonly #onTurn = (): void => {
    this.#isDue = false;
    this.flush();
  };
  #waiting: Waiting[] = [];
  #isDue = false;
  #isClosed = false;
  /** Read by the metrics. */
  drops = 0;

  constructor({ batch, backlog, awaitWritable }: UdpOutboxParts) {
    this.#batch = batch;
    this.#backlog = backlog;
    this.#awaitWritable = awaitWritable;
  }

  /** Copies the reply before it returns; it leaves in the same turn of the loop. */
  add(reply: Reply, envelope: Uint8Array): void {
    if (this.#isClosed) return;
    const batch = this.#batch;
    if (reply.length > SLOT_BYTES) {
      this.#addLong(reply, envelope);
      return;
    }
    const slot = batch.pending;
    const start = batch.start(slot);
    batch.setEnvelope(slot, envelope);
    batch.put(slot, reply.copyTo(batch.bytes, start) - start);
    if (batch.pending === BATCH) {
      this.flush();
    } else if (!this.#isDue) {
      // Not a tick: in a callback of libuv's own none would come.
      this.#isDue = true;
      setImmediate(this.#onTurn);
    }
  }

  /** Sends what was added. */
  flush(): void {
    const batch = this.#batch;
    if (batch.pending > 0) this.send(batch);
  }

  /** Sends all that is pending in a batch, keeps what the kernel does not take, and clears the batch. */
  send(batch: DatagramBatch): void {
    const { pending } = batch;
    for (let i = batch.send(); i < pending; i++) {
      if (this.#hasRoom()) this.#wait({ message: batch.message(i), envelope: batch.envelopeOut(i) });
    }
    batch.clear();
  }

  onWritable(): void {
    if (this.#isClosed) return;
    this.flush();
    let sent = 0;
    for (const { message, envelope } of this.#waiting) {
      if (!this.#batch.sendOne(message, envelope)) break;
      sent++;
    }
    this.#waiting.splice(0, sent);
    if (this.#waiting.length > 0) this.#awaitWritable();
  }

  /** Sends what was added, as far as the kernel takes it at once. */
  close(): void {
    this.flush();
    this.#isClosed = true;
    this.#waiting = [];
  }

  #addLong(reply: Reply, envelope: Uint8Array): void {
    const message = new Uint8Array(reply.length);
    reply.copyTo(message, 0);
    this.flush();
    if (!this.#batch.sendOne(message, envelope) && this.#hasRoom()) this.#wait({ message, envelope });
  }

  #hasRoom(): boolean {
    if (this.#waiting.length < this.#backlog.value) return true;
    this.#backlog.hits++;
    this.drops++;
    return false;
  }

  #wait(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#awaitWritable();
  }
}
