import { RELAY_BUFFER_BYTES } from '../core/limits.ts';
import type { ReplyStream, StreamSource } from '../resolve/client.ts';
import { Reply } from '../wire/reply.ts';

/** The connection that they lie in. */
export interface TcpStreamsOwner {
  /** False where the client does not take the answers as fast as they come. */
  append(reply: Reply): boolean;
  /** One of its messages is answered whole. */
  drop(): void;
}

/** What a client takes of a stream in the time that it has for all that is ready for it: 6 KiB/s. */
const FAIR_BYTES = 64 * 1024;

/** Filled and sent within one call, so one serves all connections. */
const reply = new Reply();

/** The answers of many messages that one connection is being given: they go in between the others, and wait where the client is slow. */
export class TcpStreams {
  readonly #owner: TcpStreamsOwner;
  readonly #open = new Set<Stream>();
  #takenBytes = 0;

  constructor(owner: TcpStreamsOwner) {
    this.#owner = owner;
  }

  /** What they may have waiting in the connection, all together. */
  get roomBytes(): number {
    return this.#open.size * RELAY_BUFFER_BYTES.value;
  }

  /** Whether one is open and the client has taken a fair piece since the last call that said so. */
  hasMoved(takenBytes: number): boolean {
    if (this.#open.size === 0 || takenBytes - this.#takenBytes < FAIR_BYTES) return false;
    this.#takenBytes = takenBytes;
    return true;
  }

  open(source: StreamSource): ReplyStream {
    const stream = new Stream(source, this);
    this.#open.add(stream);
    return stream;
  }

  /** The client has taken all. */
  drain(): void {
    for (const { source } of this.#open) source.onDrain();
  }

  /** The client has left. */
  gone(): void {
    for (const { source } of this.#open) source.onGone();
    this.#open.clear();
  }

  write(bytes: Uint8Array, start: number, end: number): boolean {
    reply.head = bytes;
    reply.headStart = start;
    reply.headEnd = end;
    return this.#owner.append(reply);
  }

  end(stream: Stream): void {
    if (this.#open.delete(stream)) this.#owner.drop();
  }
}

class Stream implements ReplyStream {
  readonly source: StreamSource;
  readonly #streams: TcpStreams;

  constructor(source: StreamSource, streams: TcpStreams) {
    this.source = source;
    this.#streams = streams;
  }

  write(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#streams.write(bytes, start, end);
  }

  end(): void {
    this.#streams.end(this);
  }
}
