import type { UpstreamAddress } from '../config/config.ts';
import type { ResponseHead } from '../wire/hpack.ts';
import { CONTENT_LENGTH_MOST, postHead, writeContentLength } from '../wire/hpack-request.ts';
import { FRAME_HEAD } from '../wire/http2.ts';
import { DohQueue } from './doh-queue.ts';
import { bodyFault, CONTENT_TYPE, headFault, PROTOCOL, pauseMs, subtractAge } from './doh-response.ts';
import { DohStream } from './doh-stream.ts';
import type { Exchange } from './exchange.ts';
import { Http2Connection, type Http2Owner } from './http2-connection.ts';
import { PADDING_MOST, pad } from './padding.ts';
import type { FramingOwner, StreamFraming } from './stream-framing.ts';
import type { StreamOutput } from './stream-output.ts';

export interface DohFramingParts {
  owner: FramingOwner;
  output: StreamOutput;
  address: UpstreamAddress;
}

/**
 * Questions as HTTP/2 requests (RFC 8484), each a stream of its own: as many at once as the server takes, the others wait here. We speak HTTP/2 ourselves, for a whole
 * HTTP client costs several times what a miss does otherwise.
 */
export class DohFraming implements StreamFraming, Http2Owner {
  readonly #owner: FramingOwner;
  readonly #output: StreamOutput;
  readonly #connection: Http2Connection;
  /** The head of each request, but for the length. */
  readonly #requestHead: Uint8Array;
  /** Bytes before the body of a request. */
  readonly #headMost: number;
  readonly #streams = new Map<number, DohStream>();
  readonly #waiting = new DohQueue();

  constructor({ owner, output, address }: DohFramingParts) {
    this.#owner = owner;
    this.#output = output;
    this.#connection = new Http2Connection(this, output);
    const { serverName, host, port, path = '/' } = address;
    const name = serverName ?? (host.includes(':') ? `[${host}]` : host);
    this.#requestHead = postHead(port === 443 ? name : `${name}:${port}`, path, CONTENT_TYPE);
    this.#headMost = 2 * FRAME_HEAD + this.#requestHead.length + CONTENT_LENGTH_MOST;
  }

  get backlog(): number {
    return this.#output.backlog;
  }

  open(): void {
    this.#connection.open();
    this.#sendWaiting();
  }

  add(exchange: Exchange, id: number): boolean {
    if (this.#output.reserve(this.#headMost + exchange.length + PADDING_MOST) < 0) return false;
    const stream = new DohStream(exchange, this.#owner.pending.slotOf(id));
    if (this.#waiting.isEmpty && this.#canSend(exchange)) this.#send(stream);
    else this.#waiting.push(stream);
    return true;
  }

  #sendWaiting(): void {
    for (let stream = this.#waiting.first; stream !== undefined; stream = this.#waiting.first) {
      const { exchange, slot } = stream;
      const isWanted = this.#isOwed(stream) && !exchange.isDone;
      if (isWanted && !this.#canSend(exchange)) return;
      this.#waiting.shift();
      if (isWanted) this.#send(stream);
      // Answered elsewhere meanwhile: nobody needs to ask.
      else if (this.#isOwed(stream)) this.#owner.onRefused(slot, undefined);
    }
  }

  /** Whether its place in the pending table is still its own. */
  #isOwed({ slot, exchange }: DohStream): boolean {
    return this.#owner.pending.at(slot) === exchange;
  }

  #canSend(exchange: Exchange): boolean {
    if (this.#streams.size >= this.#connection.mostStreams) this.#giveUpOne();
    return this.#connection.canPost(exchange.length + PADDING_MOST, this.#streams.size);
  }

  #send(stream: DohStream): void {
    const { exchange } = stream;
    const at = this.#output.reserve(this.#headMost + exchange.length + PADDING_MOST);
    const { buffer } = this.#output;
    const bodyAt = at + this.#headMost;
    let bodyEnd = exchange.copyTo(buffer, bodyAt, 0);
    if (exchange.endsInEmptyOpt) bodyEnd = pad(buffer, bodyAt, bodyEnd, bodyEnd - 2);
    // The body is made first, a little further on, for the head tells its length.
    const headAt = at + FRAME_HEAD;
    buffer.set(this.#requestHead, headAt);
    const headEnd = writeContentLength(buffer, headAt + this.#requestHead.length, bodyEnd - bodyAt);
    this.#streams.set(this.#connection.post(at, headEnd, bodyAt, bodyEnd - bodyAt), stream);
    if (this.#connection.isUsedUp) this.#askNoMore();
  }

  /** The oldest stream for which nobody waits any more makes room for another. */
  #giveUpOne(): void {
    for (const [id, stream] of this.#streams) {
      if (this.#isOwed(stream) && !stream.exchange.isDone) continue;
      this.#refuse(id, stream, undefined);
      return;
    }
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    this.#connection.read(bytes, start, end);
    if (!this.#waiting.isEmpty) this.#sendWaiting();
  }

  onHead(id: number, head: ResponseHead, isEnd: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const isInformation = head.status >= 100 && head.status < 200;
    if (!stream.hasHead && !isInformation) {
      stream.hasHead = true;
      stream.contentLength = head.contentLength;
      stream.age = head.age;
      const ms = pauseMs(head);
      if (ms > 0) this.#owner.onPause(ms);
      const fault = headFault(head);
      if (fault !== undefined) this.#refuse(id, stream, fault, isEnd);
      else if (isEnd) this.#onWhole(id, stream, stream.body, 0, 0);
    } else if (isInformation === isEnd) this.#refuse(id, stream, PROTOCOL, isEnd);
    // A second one is a trailer.
    else if (isEnd) this.#onWhole(id, stream, stream.body, 0, stream.length);
  }

  onBody(id: number, bytes: Uint8Array, start: number, end: number, isEnd: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (!stream.hasHead) this.#refuse(id, stream, PROTOCOL, isEnd);
    else if (isEnd && stream.length === 0) this.#onWhole(id, stream, bytes, start, end);
    else if (!stream.append(bytes, start, end)) this.#refuse(id, stream, 'HTTP body too long', isEnd);
    else {
      this.#connection.held += end - start;
      if (isEnd) this.#onWhole(id, stream, stream.body, 0, stream.length);
    }
  }

  /** The whole body lies in [start, end). */
  #onWhole(id: number, stream: DohStream, bytes: Uint8Array, start: number, end: number): void {
    this.#remove(id, stream);
    this.#connection.onAnswered(id);
    if (!this.#isOwed(stream)) return;
    const { slot, contentLength, age } = stream;
    const fault = bodyFault(end - start, contentLength);
    const found = fault === undefined ? this.#owner.pending.check(slot, bytes, start, end) : 0;
    if (found < 0) this.#owner.onBadReply(found);
    if (fault !== undefined || found < 0) this.#owner.onRefused(slot, fault ?? 'wrong reply');
    else {
      if (age > 0) subtractAge(bytes, start, end, age);
      this.#owner.onMessage(slot, bytes, start, end);
    }
  }

  #remove(id: number, stream: DohStream): void {
    this.#streams.delete(id);
    this.#connection.held -= stream.length;
  }

  /** `hasEnded`: by the server, else by us. */
  #refuse(id: number, stream: DohStream, reason: string | undefined, hasEnded = false): void {
    this.#remove(id, stream);
    if (hasEnded) this.#connection.onAnswered(id);
    else this.#connection.cancel(id);
    if (this.#isOwed(stream)) this.#owner.onRefused(stream.slot, reason);
  }

  onReset(id: number, isRefused: boolean): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#drop(id, stream, isRefused ? undefined : 'HTTP/2 reset');
  }

  #drop(id: number, stream: DohStream, reason: string | undefined): void {
    this.#remove(id, stream);
    if (this.#isOwed(stream)) this.#owner.onRefused(stream.slot, reason);
  }

  /** What the server has not begun with it never will: that may be asked again, and nobody waits for more than that. */
  onLast(lastStream: number): void {
    this.#askNoMore();
    for (const [id, stream] of this.#streams) if (id > lastStream) this.#drop(id, stream, undefined);
  }

  #askNoMore(): void {
    this.#owner.onLastQuestion();
    for (const stream of this.#waiting.takeAll()) {
      if (this.#isOwed(stream)) this.#owner.onRefused(stream.slot, undefined);
    }
  }

  onBroken(): void {
    this.#owner.onBroken(PROTOCOL);
  }
}
