/** Types of frames, their flags, settings and error codes (RFC 9113, sections 6 and 7): those that a client of DNS needs. */
export const FRAME_DATA = 0;
export const FRAME_HEADERS = 1;
export const FRAME_RST_STREAM = 3;
export const FRAME_SETTINGS = 4;
export const FRAME_PUSH_PROMISE = 5;
export const FRAME_PING = 6;
export const FRAME_GOAWAY = 7;
export const FRAME_WINDOW_UPDATE = 8;
export const FRAME_CONTINUATION = 9;

export const FLAG_ACK = 0x1;
export const FLAG_END_STREAM = 0x1;
export const FLAG_END_HEADERS = 0x4;
export const FLAG_PADDED = 0x8;
export const FLAG_PRIORITY = 0x20;

export const SETTING_ENABLE_PUSH = 2;
export const SETTING_MAX_CONCURRENT_STREAMS = 3;
export const SETTING_INITIAL_WINDOW_SIZE = 4;

export const ERROR_REFUSED_STREAM = 7;
export const ERROR_CANCEL = 8;

export const FRAME_HEAD = 9;
/** What both ends may send until a setting says more; ours never does. */
export const FRAME_MOST = 16_384;
export const WINDOW_FIRST = 65_535;
export const WINDOW_MOST = 0x7fff_ffff;

export const PREFACE: Uint8Array = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** What is kept of a frame across chunks from one such frame to the next. */
const MOST_KEPT = 4096;
const NO_BYTES = new Uint8Array(0);

/** Who takes the frames of one connection. */
export interface Http2Sink {
  /** One frame, its payload in [start, end), valid during the call only. False: no more is to be read. */
  onFrame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): boolean;
  onTooLong(): void;
}

/** Cuts a stream of chunks, whatever their borders, into frames (RFC 9113, section 4.1). One that lies whole in a chunk is handed out in place. */
export class Http2Reader {
  #partial: Uint8Array = NO_BYTES;
  #filled = 0;

  /** Takes the chunk in [start, end) and hands out every frame that it completes. */
  read(chunk: Uint8Array, start: number, end: number, sink: Http2Sink): void {
    let offset = this.#filled > 0 ? this.#finish(chunk, start, end, sink) : start;
    while (offset >= 0 && end - offset >= FRAME_HEAD) {
      const length = lengthAt(chunk, offset);
      if (length > FRAME_MOST) {
        sink.onTooLong();
        return;
      }
      const next = offset + FRAME_HEAD + length;
      if (next > end) break;
      offset = hand(chunk, offset, next, sink) ? next : -1;
    }
    if (offset >= 0 && offset < end) this.#append(chunk, offset, end);
  }

  /** Goes on with the frame that an earlier chunk began; returns the offset of the next one, or -1: no more is to be read. */
  #finish(chunk: Uint8Array, start: number, end: number, sink: Http2Sink): number {
    let offset = this.#fill(chunk, start, end, FRAME_HEAD);
    if (this.#filled < FRAME_HEAD) return end;
    const length = FRAME_HEAD + lengthAt(this.#partial, 0);
    if (length > FRAME_HEAD + FRAME_MOST) {
      sink.onTooLong();
      return -1;
    }
    offset = this.#fill(chunk, offset, end, length);
    if (this.#filled < length) return end;
    const frame = this.#partial;
    if (frame.length > MOST_KEPT) this.#partial = NO_BYTES;
    this.#filled = 0;
    return hand(frame, 0, length, sink) ? offset : -1;
  }

  #fill(chunk: Uint8Array, start: number, end: number, length: number): number {
    const taken = Math.max(0, Math.min(length - this.#filled, end - start));
    this.#append(chunk, start, start + taken);
    return start + taken;
  }

  #append(chunk: Uint8Array, start: number, end: number): void {
    const filled = this.#filled + end - start;
    if (filled > this.#partial.length) {
      const grown = new Uint8Array(Math.max(2 * this.#partial.length, filled, 512));
      grown.set(this.#partial.subarray(0, this.#filled));
      this.#partial = grown;
    }
    this.#partial.set(chunk.subarray(start, end), this.#filled);
    this.#filled = filled;
  }
}

function hand(bytes: Uint8Array, offset: number, end: number, sink: Http2Sink): boolean {
  const stream = uint32(bytes, offset + 5) & 0x7fffffff;
  return sink.onFrame(bytes[offset + 3]!, bytes[offset + 4]!, stream, bytes, offset + FRAME_HEAD, end);
}

function lengthAt(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 16) | (bytes[offset + 1]! << 8) | bytes[offset + 2]!;
}

/** Four octets as a number; the top bit comes out as its sign. */
export function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Writes the head of a frame; returns the offset after it. */
export function writeFrameHead(
  target: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  target[at] = length >> 16;
  target[at + 1] = length >> 8;
  target[at + 2] = length;
  target[at + 3] = type;
  target[at + 4] = flags;
  return writeUint32(target, at + 5, stream);
}

export function writeUint32(target: Uint8Array, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
  return at + 4;
}
