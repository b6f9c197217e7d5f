import { FrameReader, type FrameSink } from '../wire/framing.ts';
import type { Exchange } from './exchange.ts';
import { idleTimeoutMs } from './keepalive.ts';
import { PADDING_MOST, pad } from './padding.ts';
import type { FramingOwner, StreamFraming } from './stream-framing.ts';
import type { StreamOutput } from './stream-output.ts';

/** RFC 7828: code 11, no value, for the client only asks. */
const KEEPALIVE_OPTION = [0, 11, 0, 0];

/** Before each message (RFC 1035, section 4.2.2). */
const LENGTH_FIELD = 2;

const MOST_ADDED = LENGTH_FIELD + KEEPALIVE_OPTION.length + PADDING_MOST;

export interface DnsFramingParts {
  owner: FramingOwner;
  output: StreamOutput;
  /** Queries are padded: for what is encrypted. */
  isPadded: boolean;
}

/** Messages with their length before them, as TCP and TLS carry them: any number in flight, told apart by their ids. */
export class DnsFraming implements StreamFraming, FrameSink {
  readonly #owner: FramingOwner;
  readonly #output: StreamOutput;
  readonly #isPadded: boolean;
  readonly #reader = new FrameReader();
  #keepaliveSlot = -1;
  #hasAskedKeepalive = false;

  constructor({ owner, output, isPadded }: DnsFramingParts) {
    this.#owner = owner;
    this.#output = output;
    this.#isPadded = isPadded;
  }

  get backlog(): number {
    return this.#output.backlog;
  }

  open(): void {
    this.#output.open();
  }

  /** The first query also asks how long the server will keep an idle connection (RFC 7828). */
  add(exchange: Exchange, id: number): boolean {
    const at = this.#output.reserve(exchange.length + MOST_ADDED);
    if (at < 0) return false;
    const { buffer } = this.#output;
    const start = at + LENGTH_FIELD;
    let end = exchange.copyTo(buffer, start, id);
    if ((this.#isPadded || !this.#hasAskedKeepalive) && exchange.endsInEmptyOpt) end = this.#addOptions(start, end);
    if (!this.#hasAskedKeepalive) {
      this.#hasAskedKeepalive = true;
      this.#keepaliveSlot = this.#owner.pending.slotOf(id);
    }
    const length = end - start;
    buffer[at] = length >> 8;
    buffer[at + 1] = length;
    this.#output.commit(end);
    return true;
  }

  #addOptions(start: number, end: number): number {
    const { buffer } = this.#output;
    const lengthAt = end - 2;
    let at = end;
    if (!this.#hasAskedKeepalive) {
      buffer[lengthAt + 1] = KEEPALIVE_OPTION.length;
      for (const octet of KEEPALIVE_OPTION) buffer[at++] = octet;
    }
    return this.#isPadded ? pad(buffer, start, at, lengthAt) : at;
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    this.#reader.read(bytes, start, end, this);
  }

  onFrame(bytes: Uint8Array, start: number, end: number): void {
    const slot = this.#owner.pending.find(bytes, start, end, true);
    if (slot < 0) {
      this.#owner.onBadReply(slot);
      return;
    }
    if (slot === this.#keepaliveSlot) this.#readKeepalive(bytes, start, end);
    this.#owner.onMessage(slot, bytes, start, end);
  }

  #readKeepalive(bytes: Uint8Array, start: number, end: number): void {
    this.#keepaliveSlot = -1;
    const timeoutMs = idleTimeoutMs(bytes, start, end);
    if (timeoutMs > 0) this.#owner.onKeepalive(timeoutMs);
    // RFC 7828, section 3.4: no more queries, and close.
    else if (timeoutMs === 0) this.#owner.onLastQuestion();
  }
}
