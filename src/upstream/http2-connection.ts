import { CONNECTION_BACKLOG, CONNECTION_FRAMES, CONNECTION_QUERIES, CONNECTION_STREAMS } from '../core/limits.ts';
import { HeadBlock } from '../wire/head-block.ts';
import { ResponseHead } from '../wire/hpack.ts';
import * as http2 from '../wire/http2.ts';
import { Http2Uploads } from './http2-uploads.ts';
import type { StreamOutput } from './stream-output.ts';

/** Until the server says how many it takes at once. */
const STREAMS_FIRST = 100;
/** What a reply may bring at once, padding of frames included, and all replies of a connection together. */
const STREAM_WINDOW = 131_072;
const CONNECTION_WINDOW = 1_048_576;

const SETTINGS = [
  [http2.SETTING_ENABLE_PUSH, 0],
  [http2.SETTING_INITIAL_WINDOW_SIZE, STREAM_WINDOW],
] as const;

/** What a connection tells of its streams. Bytes are valid during the call only. */
export interface Http2Owner {
  onHead(stream: number, head: ResponseHead, isEnd: boolean): void;
  /** A piece of a body, in [start, end). */
  onBody(stream: number, bytes: Uint8Array, start: number, end: number, isEnd: boolean): void;
  /** The server ended a stream; `isRefused`: before it did anything. */
  onReset(stream: number, isRefused: boolean): void;
  /** No more streams may be opened; those above `lastStream` will not be answered. */
  onLast(lastStream: number): void;
  onBroken(): void;
}

/** The client's side of one HTTP/2 connection (RFC 9113), as far as requests with short bodies need it. Frames are written and read in place. */
export class Http2Connection implements http2.Http2Sink {
  readonly #owner: Http2Owner;
  readonly #output: StreamOutput;
  readonly #reader = new http2.Http2Reader();
  readonly #head = new ResponseHead();
  readonly #block = new HeadBlock();
  readonly #uploads = new Http2Uploads((stream, bytes, start, end, isEnd) =>
    this.#writePiece(stream, bytes, start, end, isEnd),
  );
  #isOpen = false;
  #hasSettings = false;
  #isLast = false;
  #nextStream = 1;
  /** How many streams the server takes at once. */
  mostStreams = STREAMS_FIRST;
  /** What the server takes of a new stream, and of the connection. */
  #streamWindow = http2.WINDOW_FIRST;
  #sendWindow = http2.WINDOW_FIRST;
  /** Bytes that came and that the server has not been told to be read, and of those how many still wait for the rest of their answer. */
  #unreported = 0;
  held = 0;
  /** Since an answer was whole. */
  #frames = 0;

  constructor(owner: Http2Owner, output: StreamOutput) {
    this.#owner = owner;
    this.#output = output;
  }

  open(): void {
    this.#isOpen = true;
    const { buffer } = this.#output;
    const start = this.#output.reserve(128);
    buffer.set(http2.PREFACE, start);
    let at = start + http2.PREFACE.length;
    at = http2.writeFrameHead(buffer, at, SETTINGS.length * 6, http2.FRAME_SETTINGS, 0, 0);
    for (const [name, value] of SETTINGS) {
      buffer[at] = 0;
      buffer[at + 1] = name;
      at = http2.writeUint32(buffer, at + 2, value);
    }
    this.#output.commit(at);
    this.#writeUint32Frame(http2.FRAME_WINDOW_UPDATE, 0, CONNECTION_WINDOW - http2.WINDOW_FIRST);
    this.#output.open();
  }

  /** Whether a request with a body of `length` bytes may leave now, while `streams` are open. */
  canPost(length: number, streams: number): boolean {
    return this.#isOpen && !this.#isLast && streams < this.mostStreams && length <= this.#sendWindow;
  }

  /**
   * Posts what lies in the output's buffer: at `at`, which was reserved, room for the head of a frame, then the header block up to `headEnd`; further on at `bodyAt`,
   * behind room for another head, the body. Returns the number of the stream.
   */
  post(at: number, headEnd: number, bodyAt: number, length: number): number {
    const { buffer } = this.#output;
    const stream = this.#nextStream;
    this.#nextStream += 2;
    http2.writeFrameHead(
      buffer,
      at,
      headEnd - at - http2.FRAME_HEAD,
      http2.FRAME_HEADERS,
      http2.FLAG_END_HEADERS,
      stream,
    );
    if (length > this.#streamWindow) {
      this.#uploads.add(stream, new Uint8Array(buffer.subarray(bodyAt, bodyAt + length)), this.#streamWindow);
      this.#output.commit(headEnd);
      this.#sendWindow = this.#uploads.grow(stream, 0, this.#sendWindow);
    } else {
      this.#sendWindow -= length;
      const dataAt = http2.writeFrameHead(buffer, headEnd, length, http2.FRAME_DATA, http2.FLAG_END_STREAM, stream);
      buffer.copyWithin(dataAt, bodyAt, bodyAt + length);
      this.#output.commit(dataAt + length);
    }
    return stream;
  }

  /** No number is left for another stream: what is open is still answered. */
  get isUsedUp(): boolean {
    return this.#nextStream >> 1 >= CONNECTION_STREAMS.value;
  }

  /** Ends a stream whose answer is not wanted. */
  cancel(stream: number): void {
    this.#uploads.drop(stream);
    this.#writeUint32Frame(http2.FRAME_RST_STREAM, stream, http2.ERROR_CANCEL);
  }

  /** A whole answer came, so that this server is not one that only keeps us busy. */
  onAnswered(stream: number): void {
    this.#frames = 0;
    if (!this.#uploads.isEmpty && this.#uploads.drop(stream)) this.cancel(stream);
  }

  #writePiece(stream: number, bytes: Uint8Array, start: number, end: number, isEnd: boolean): void {
    const at = this.#output.reserve(http2.FRAME_HEAD + end - start);
    const { buffer } = this.#output;
    const flags = isEnd ? http2.FLAG_END_STREAM : 0;
    const dataAt = http2.writeFrameHead(buffer, at, end - start, http2.FRAME_DATA, flags, stream);
    buffer.set(bytes.subarray(start, end), dataAt);
    this.#output.commit(dataAt + end - start);
  }

  #writeUint32Frame(type: number, stream: number, value: number): void {
    const at = this.#output.reserve(http2.FRAME_HEAD + 4);
    const { buffer } = this.#output;
    this.#output.commit(http2.writeUint32(buffer, http2.writeFrameHead(buffer, at, 4, type, 0, stream), value));
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    this.#reader.read(bytes, start, end, this);
  }

  onTooLong(): void {
    this.#break();
  }

  onFrame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (++this.#frames > CONNECTION_FRAMES.value) {
      CONNECTION_FRAMES.hits++;
      return this.#break();
    }
    const isSettings = type === http2.FRAME_SETTINGS && (flags & http2.FLAG_ACK) === 0;
    if (!this.#hasSettings && !isSettings) return this.#break();
    if (this.#block.stream !== 0 && type !== http2.FRAME_CONTINUATION) return this.#break();
    switch (type) {
      case http2.FRAME_DATA:
        return this.#isBegun(stream) ? this.#onData(flags, stream, bytes, start, end) : this.#break();
      case http2.FRAME_HEADERS:
        return this.#isBegun(stream) ? this.#onHeaders(flags, stream, bytes, start, end) : this.#break();
      case http2.FRAME_CONTINUATION:
        return this.#onContinuation(flags, stream, bytes, start, end);
      case http2.FRAME_RST_STREAM:
        if (!this.#isBegun(stream) || end - start !== 4) return this.#break();
        this.#uploads.drop(stream);
        this.#owner.onReset(stream, http2.uint32(bytes, start) === http2.ERROR_REFUSED_STREAM);
        return true;
      case http2.FRAME_WINDOW_UPDATE:
        return end - start === 4 ? this.#onWindow(stream, http2.uint32(bytes, start) & 0x7fffffff) : this.#break();
      case http2.FRAME_PUSH_PROMISE:
        // We have said that we take none.
        return this.#break();
      case http2.FRAME_SETTINGS:
        return stream === 0 ? this.#onSettings(flags, bytes, start, end) : this.#break();
      case http2.FRAME_PING:
        return stream === 0 && end - start === 8 ? this.#onPing(flags, bytes, start, end) : this.#break();
      case http2.FRAME_GOAWAY:
        if (stream !== 0 || end - start < 8) return this.#break();
        this.#isLast = true;
        this.#owner.onLast(http2.uint32(bytes, start) & 0x7fffffff);
        return true;
      default:
        // Extensions are ignored (RFC 9113, section 4.1).
        return true;
    }
  }

  #break(): false {
    this.#owner.onBroken();
    return false;
  }

  /** Ours, and not one that we have not opened yet. */
  #isBegun(stream: number): boolean {
    return (stream & 1) === 1 && stream < this.#nextStream;
  }

  #onHeaders(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): boolean {
    const padding = flags & http2.FLAG_PADDED ? bytes[start]! : 0;
    const from = start + (flags & http2.FLAG_PADDED ? 1 : 0) + (flags & http2.FLAG_PRIORITY ? 5 : 0);
    if (from + padding > end) return this.#break();
    if (flags & http2.FLAG_END_HEADERS) return this.#onHead(flags, stream, bytes, from, end - padding);
    this.#block.begin(stream, flags, bytes, from, end - padding);
    return true;
  }

  #onContinuation(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): boolean {
    const block = this.#block;
    if (!block.add(stream, bytes, start, end)) return this.#break();
    if ((flags & http2.FLAG_END_HEADERS) === 0) return true;
    const whole = block.bytes;
    block.close();
    return this.#onHead(block.flags, stream, whole, 0, whole.length);
  }

  /** Also those that nobody waits for any more are read, for later ones build on them. */
  #onHead(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#head.read(bytes, start, end)) return this.#break();
    this.#owner.onHead(stream, this.#head, (flags & http2.FLAG_END_STREAM) !== 0);
    return true;
  }

  #onData(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): boolean {
    const isPadded = (flags & http2.FLAG_PADDED) !== 0;
    const from = start + (isPadded ? 1 : 0);
    const to = end - (isPadded ? bytes[start]! : 0);
    this.#unreported += end - start;
    if (from > to || this.#unreported > CONNECTION_WINDOW) return this.#break();
    this.#owner.onBody(stream, bytes, from, to, (flags & http2.FLAG_END_STREAM) !== 0);
    this.#openWindow();
    return true;
  }

  /** The window of the connection is opened again when half of it is used up, but for what we must keep: so it bounds that. */
  #openWindow(): void {
    const read = this.#unreported - this.held;
    if (read < CONNECTION_WINDOW / 2) return;
    this.#writeUint32Frame(http2.FRAME_WINDOW_UPDATE, 0, read);
    this.#unreported = this.held;
  }

  #onWindow(stream: number, by: number): boolean {
    if (stream !== 0) return this.#onStreamWindow(stream, by);
    const wasShut = this.#sendWindow === 0;
    this.#sendWindow += by;
    if (by === 0 || this.#sendWindow > http2.WINDOW_MOST) return this.#break();
    if (wasShut) this.#flushUploads();
    return true;
  }

  #onStreamWindow(stream: number, by: number): boolean {
    if (!this.#isBegun(stream)) return this.#break();
    if (this.#uploads.isEmpty) return true;
    const left = this.#uploads.grow(stream, by, this.#sendWindow);
    if (left < 0) return this.#break();
    this.#sendWindow = left;
    return true;
  }

  #flushUploads(): void {
    if (!this.#uploads.isEmpty) this.#sendWindow = this.#uploads.flush(this.#sendWindow);
  }

  #onSettings(flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (flags & http2.FLAG_ACK) return end === start || this.#break();
    if ((end - start) % 6 !== 0) return this.#break();
    this.#hasSettings = true;
    for (let at = start; at < end; at += 6) {
      const name = (bytes[at]! << 8) | bytes[at + 1]!;
      const value = http2.uint32(bytes, at + 2) >>> 0;
      if (name === http2.SETTING_MAX_CONCURRENT_STREAMS) this.mostStreams = Math.min(value, CONNECTION_QUERIES.value);
      else if (name === http2.SETTING_INITIAL_WINDOW_SIZE) {
        if (value > http2.WINDOW_MOST) return this.#break();
        this.#uploads.shift(value - this.#streamWindow);
        this.#streamWindow = value;
      }
    }
    this.#flushUploads();
    return this.#acknowledge(http2.FRAME_SETTINGS, bytes, end, end);
  }

  #onPing(flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    return (flags & http2.FLAG_ACK) !== 0 || this.#acknowledge(http2.FRAME_PING, bytes, start, end);
  }

  #acknowledge(type: number, bytes: Uint8Array, start: number, end: number): boolean {
    // Who asks for so much and reads none of it means no good.
    if (this.#output.backlog > CONNECTION_BACKLOG.value) return this.#break();
    const at = this.#output.reserve(http2.FRAME_HEAD + end - start);
    const { buffer } = this.#output;
    const bodyAt = http2.writeFrameHead(buffer, at, end - start, type, http2.FLAG_ACK, 0);
    buffer.set(bytes.subarray(start, end), bodyAt);
    this.#output.commit(bodyAt + end - start);
    return true;
  }
}
