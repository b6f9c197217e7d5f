import type { UpstreamAddress } from '../config/config.ts';
import { CONNECTION_BACKLOG } from '../core/limits.ts';
import { HEADER_LENGTH } from '../wire/constants.ts';
import { CONTENT_LENGTH_MOST, postHead, ResponseHead, writeContentLength } from '../wire/hpack.ts';
import * as http2 from '../wire/http2.ts';
import { DohStream } from './doh-stream.ts';
import type { Exchange } from './exchange.ts';
import { PADDING_MOST, pad } from './padding.ts';
import type { FramingOwner, StreamFraming } from './stream-framing.ts';
import type { StreamOutput } from './stream-output.ts';

const CONTENT_TYPE = 'application/dns-message';

/** Until the server says how many it takes at once. */
const STREAMS_FIRST = 100;
/** What a reply may bring at once, padding of frames included, and all replies of a connection together. */
const STREAM_WINDOW = 131_072;
const CONNECTION_WINDOW = 1_048_576;
/** A longer head of a response is not that of a DNS server. */
const HEAD_MOST = 16_384;
/** Streams count up by two; before they run out the connection is given up. */
const LAST_STREAM = 0x7fff_0000;

/** How long a server is left alone that says 429 or 503: as it wishes, within these bounds. */
const PAUSE_USUAL_MS = 1000;
const PAUSE_MOST_MS = 60_000;

const head = new ResponseHead();

export interface DohFramingParts {
  owner: FramingOwner;
  output: StreamOutput;
  address: UpstreamAddress;
}

/**
 * Questions as HTTP/2 requests (RFC 8484, RFC 9113), each a stream of its own: as many at once as the server takes, the others wait here. The few frames that
 * this needs are written and read in place, for a whole HTTP client costs several times what a miss does otherwise.
 */
export class DohFraming implements StreamFraming, http2.Http2Sink {
  readonly #owner: FramingOwner;
  readonly #output: StreamOutput;
  readonly #reader = new http2.Http2Reader();
  /** The head of each request, but for the length. */
  readonly #requestHead: Uint8Array;
  readonly #streams = new Map<number, DohStream>();
  #waiting: DohStream[] = [];
  /** Those of `#waiting` before it have left. */
  #next = 0;
  #isOpen = false;
  #isLast = false;
  #nextStream = 1;
  #mostStreams = STREAMS_FIRST;
  #streamWindow = http2.WINDOW_FIRST;
  #sendWindow = http2.WINDOW_FIRST;
  /** Bytes that came and that the server has not been told to be read. */
  #unreported = 0;
  /** A head that goes on in the next frame. */
  #headParts: Uint8Array[] = [];
  #headFlags = 0;

  constructor({ owner, output, address }: DohFramingParts) {
    this.#owner = owner;
    this.#output = output;
    const { serverName, host, port, path = '/' } = address;
    const name = serverName ?? (host.includes(':') ? `[${host}]` : host);
    this.#requestHead = postHead(port === 443 ? name : `${name}:${port}`, path, CONTENT_TYPE);
  }

  get backlog(): number {
    return this.#output.backlog;
  }

  open(): void {
    this.#isOpen = true;
    const { buffer } = this.#output;
    const settings = [
      [http2.SETTING_HEADER_TABLE_SIZE, 0],
      [http2.SETTING_ENABLE_PUSH, 0],
      [http2.SETTING_INITIAL_WINDOW_SIZE, STREAM_WINDOW],
    ] as const;
    const start = this.#output.reserve(128);
    buffer.set(http2.PREFACE, start);
    let at = start + http2.PREFACE.length;
    at = http2.writeFrameHead(buffer, at, settings.length * 6, http2.FRAME_SETTINGS, 0, 0);
    for (const [name, value] of settings) {
      buffer[at] = 0;
      buffer[at + 1] = name;
      at = http2.writeUint32(buffer, at + 2, value);
    }
    this.#output.commit(at);
    this.#writeUint32Frame(http2.FRAME_WINDOW_UPDATE, 0, CONNECTION_WINDOW - http2.WINDOW_FIRST);
    this.#output.open();
    this.#sendWaiting();
  }

  add(exchange: Exchange, id: number): boolean {
    const stream = new DohStream(exchange, this.#owner.pending.slotOf(id));
    if (this.#isWaiting || !this.#send(stream)) this.#waiting.push(stream);
    return true;
  }

  get #isWaiting(): boolean {
    return this.#next < this.#waiting.length;
  }

  #sendWaiting(): void {
    while (this.#isWaiting) {
      const stream = this.#waiting[this.#next]!;
      if (this.#isOwed(stream)) {
        // Answered elsewhere meanwhile: nobody needs to ask.
        if (stream.exchange.isDone) this.#owner.onRefused(stream.slot, undefined);
        else if (!this.#send(stream)) return;
      }
      this.#next++;
    }
    this.#waiting = [];
    this.#next = 0;
  }

  /** Whether its place in the pending table is still its own. */
  #isOwed({ slot, exchange }: DohStream): boolean {
    return this.#owner.pending.at(slot) === exchange;
  }

  /** False where the server takes no more just now. */
  #send(stream: DohStream): boolean {
    if (!this.#isOpen || this.#isLast) return false;
    if (this.#streams.size >= this.#mostStreams && !this.#giveUpOldest()) return false;
    const { exchange } = stream;
    const bodyMost = exchange.length + PADDING_MOST;
    if (bodyMost > this.#sendWindow || bodyMost > this.#streamWindow) return false;
    const headMost = 2 * http2.FRAME_HEAD + this.#requestHead.length + CONTENT_LENGTH_MOST;
    const at = this.#output.reserve(headMost + bodyMost);
    if (at < 0) return false;
    const id = this.#nextStream;
    this.#nextStream += 2;
    if (id >= LAST_STREAM) this.#onLast();
    this.#streams.set(id, stream);
    this.#write(at, at + headMost, exchange, id);
    return true;
  }

  /** The body is made first, a little further on, for the head tells its length. */
  #write(at: number, bodyAt: number, exchange: Exchange, id: number): void {
    const { buffer } = this.#output;
    let bodyEnd = exchange.copyTo(buffer, bodyAt, 0);
    if (exchange.endsInEmptyOpt) bodyEnd = pad(buffer, bodyAt, bodyEnd, bodyEnd - 2);
    const length = bodyEnd - bodyAt;
    this.#sendWindow -= length;
    const headAt = at + http2.FRAME_HEAD;
    buffer.set(this.#requestHead, headAt);
    const headEnd = writeContentLength(buffer, headAt + this.#requestHead.length, length);
    http2.writeFrameHead(buffer, at, headEnd - headAt, http2.FRAME_HEADERS, http2.FLAG_END_HEADERS, id);
    const dataAt = http2.writeFrameHead(buffer, headEnd, length, http2.FRAME_DATA, http2.FLAG_END_STREAM, id);
    buffer.copyWithin(dataAt, bodyAt, bodyEnd);
    this.#output.commit(dataAt + length);
  }

  /** The oldest stream, where nobody waits for it any more. */
  #giveUpOldest(): boolean {
    const [oldest] = this.#streams;
    if (oldest === undefined || this.#isOwed(oldest[1])) return false;
    this.#cancel(oldest[0]);
    return true;
  }

  #cancel(id: number): void {
    this.#streams.delete(id);
    this.#writeUint32Frame(http2.FRAME_RST_STREAM, id, http2.ERROR_CANCEL);
  }

  #writeUint32Frame(type: number, stream: number, value: number): void {
    const at = this.#output.reserve(http2.FRAME_HEAD + 4);
    if (at < 0) return;
    const { buffer } = this.#output;
    this.#output.commit(http2.writeUint32(buffer, http2.writeFrameHead(buffer, at, 4, type, 0, stream), value));
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    this.#reader.read(bytes, start, end, this);
    if (this.#isWaiting) this.#sendWaiting();
  }

  onTooLong(): void {
    this.#owner.onBroken('HTTP/2 protocol');
  }

  onFrame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#headParts.length > 0 && type !== http2.FRAME_CONTINUATION) return this.#break();
    switch (type) {
      case http2.FRAME_DATA:
        return this.#onData(flags, stream, bytes, start, end);
      case http2.FRAME_HEADERS:
        return this.#onHeaders(flags, stream, bytes, start, end);
      case http2.FRAME_CONTINUATION:
        return this.#onContinuation(flags, stream, bytes, start, end);
      case http2.FRAME_RST_STREAM:
        return end - start === 4 ? this.#onReset(stream, http2.uint32(bytes, start)) : this.#break();
      case http2.FRAME_SETTINGS:
        return this.#onSettings(flags, bytes, start, end);
      case http2.FRAME_PING:
        return this.#onPing(flags, bytes, start, end);
      case http2.FRAME_GOAWAY:
        return end - start >= 8 ? this.#onGoAway(http2.uint32(bytes, start) & 0x7fffffff) : this.#break();
      case http2.FRAME_WINDOW_UPDATE:
        if (end - start !== 4) return this.#break();
        if (stream === 0) this.#sendWindow += http2.uint32(bytes, start) & 0x7fffffff;
        return true;
      case http2.FRAME_PUSH_PROMISE:
        return this.#break();
      default:
        // Extensions are ignored (RFC 9113, section 4.1).
        return true;
    }
  }

  #break(): false {
    this.#owner.onBroken('HTTP/2 protocol');
    return false;
  }

  #onHeaders(flags: number, id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const padding = flags & http2.FLAG_PADDED ? bytes[start]! : 0;
    const from = start + (flags & http2.FLAG_PADDED ? 1 : 0) + (flags & http2.FLAG_PRIORITY ? 5 : 0);
    if (from + padding > end) return this.#break();
    if (flags & http2.FLAG_END_HEADERS) return this.#onHead(flags, id, bytes, from, end - padding);
    this.#headFlags = flags;
    this.#headParts = [Uint8Array.from(bytes.subarray(from, end - padding))];
    return true;
  }

  #onContinuation(flags: number, id: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.#headParts.push(Uint8Array.from(bytes.subarray(start, end)));
    const length = this.#headParts.reduce((sum, part) => sum + part.length, 0);
    if (length > HEAD_MOST || this.#headParts.length === 1) return this.#break();
    if ((flags & http2.FLAG_END_HEADERS) === 0) return true;
    const whole = Buffer.concat(this.#headParts);
    this.#headParts = [];
    return this.#onHead(this.#headFlags, id, whole, 0, whole.length);
  }

  #onHead(flags: number, id: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (!head.read(bytes, start, end)) return this.#break();
    const stream = this.#streams.get(id);
    if (stream === undefined) return true;
    const isInformation = head.status >= 100 && head.status < 200;
    // A second one is a trailer.
    if (stream.status === 0 && !isInformation) {
      stream.status = head.status;
      stream.isDns = isDnsMessage(head.contentType);
      if (stream.status === 429 || stream.status === 503) this.#owner.onPause(pauseMs(head.retryAfter));
    }
    if (flags & http2.FLAG_END_STREAM) this.#onEnd(id, stream, stream.body, 0, stream.length);
    return true;
  }

  #onData(flags: number, id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const isPadded = (flags & http2.FLAG_PADDED) !== 0;
    const from = start + (isPadded ? 1 : 0);
    const to = end - (isPadded ? bytes[start]! : 0);
    if (from > to) return this.#break();
    this.#report(end - start);
    const stream = this.#streams.get(id);
    if (stream === undefined) return true;
    const isEnd = (flags & http2.FLAG_END_STREAM) !== 0;
    if (isEnd && stream.length === 0) this.#onEnd(id, stream, bytes, from, to);
    else if (!stream.append(bytes, from, to)) this.#refuse(id, stream, 'HTTP body too long');
    else if (isEnd) this.#onEnd(id, stream, stream.body, 0, stream.length);
    return true;
  }

  /** The window of the connection is opened again when half of it is used up. */
  #report(length: number): void {
    this.#unreported += length;
    if (this.#unreported < CONNECTION_WINDOW / 2) return;
    this.#writeUint32Frame(http2.FRAME_WINDOW_UPDATE, 0, this.#unreported);
    this.#unreported = 0;
  }

  /** The whole body lies in [start, end). */
  #onEnd(id: number, stream: DohStream, bytes: Uint8Array, start: number, end: number): void {
    this.#streams.delete(id);
    if (!this.#isOwed(stream)) return;
    const { slot, status, isDns } = stream;
    if (status !== 200) this.#owner.onRefused(slot, `HTTP ${status}`);
    else if (!isDns || end - start < HEADER_LENGTH) this.#owner.onRefused(slot, 'HTTP content');
    else {
      const found = this.#owner.pending.check(slot, bytes, start, end);
      if (found >= 0) this.#owner.onMessage(slot, bytes, start, end);
      else {
        this.#owner.onBadReply(found);
        this.#owner.onRefused(slot, 'wrong reply');
      }
    }
  }

  #refuse(id: number, stream: DohStream, reason: string): void {
    this.#cancel(id);
    if (this.#isOwed(stream)) this.#owner.onRefused(stream.slot, reason);
  }

  #onReset(id: number, code: number): boolean {
    const stream = this.#streams.get(id);
    if (stream === undefined) return true;
    this.#streams.delete(id);
    const reason = code === http2.ERROR_REFUSED_STREAM ? undefined : 'HTTP/2 reset';
    if (this.#isOwed(stream)) this.#owner.onRefused(stream.slot, reason);
    return true;
  }

  #onSettings(flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (flags & http2.FLAG_ACK) return true;
    if ((end - start) % 6 !== 0) return this.#break();
    for (let at = start; at < end; at += 6) {
      const name = (bytes[at]! << 8) | bytes[at + 1]!;
      const value = http2.uint32(bytes, at + 2) >>> 0;
      if (name === http2.SETTING_MAX_CONCURRENT_STREAMS) this.#mostStreams = value;
      else if (name === http2.SETTING_INITIAL_WINDOW_SIZE) this.#streamWindow = value;
    }
    if (this.backlog > CONNECTION_BACKLOG.value) return this.#break();
    const { buffer } = this.#output;
    const at = this.#output.reserve(http2.FRAME_HEAD);
    if (at >= 0) this.#output.commit(http2.writeFrameHead(buffer, at, 0, http2.FRAME_SETTINGS, http2.FLAG_ACK, 0));
    return true;
  }

  #onPing(flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    // Who asks for so much and reads none of it means no good.
    if (end - start !== 8 || this.backlog > CONNECTION_BACKLOG.value) return this.#break();
    const at = flags & http2.FLAG_ACK ? -1 : this.#output.reserve(http2.FRAME_HEAD + 8);
    if (at < 0) return true;
    const { buffer } = this.#output;
    const bodyAt = http2.writeFrameHead(buffer, at, 8, http2.FRAME_PING, http2.FLAG_ACK, 0);
    buffer.set(bytes.subarray(start, end), bodyAt);
    this.#output.commit(bodyAt + 8);
    return true;
  }

  /** What the server has not begun with it never will: that may be asked again, and nobody waits for more than that. */
  #onGoAway(lastStream: number): boolean {
    this.#onLast();
    for (const [id, stream] of this.#streams) {
      if (id <= lastStream) continue;
      this.#streams.delete(id);
      if (this.#isOwed(stream)) this.#owner.onRefused(stream.slot, undefined);
    }
    return true;
  }

  #onLast(): void {
    this.#isLast = true;
    this.#owner.onLastQuestion();
    const waiting = this.#waiting.slice(this.#next);
    this.#waiting = [];
    this.#next = 0;
    for (const stream of waiting) if (this.#isOwed(stream)) this.#owner.onRefused(stream.slot, undefined);
  }
}

/** Parameters may follow (RFC 9110, section 8.3.1). */
function isDnsMessage(contentType: string): boolean {
  return contentType === CONTENT_TYPE || contentType.toLowerCase().split(';', 1)[0]!.trim() === CONTENT_TYPE;
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function pauseMs(retryAfter: string): number {
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return ms > 0 ? Math.min(ms, PAUSE_MOST_MS) : PAUSE_USUAL_MS;
}
