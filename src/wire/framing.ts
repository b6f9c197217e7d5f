import { MAX_MESSAGE_LENGTH } from './constants.ts';

/** Who takes the messages of one TCP connection. */
export interface FrameSink {
  /** One message without its length field, in [start, end). The bytes are valid during the call only and may be changed in place. */
  onFrame(bytes: Uint8Array, start: number, end: number): void;
}

/** What a frame across chunks begins with; it doubles as octets come, so that a length field alone makes nobody set 64 KiB aside. */
const FIRST_ROOM = 512;
/** What is kept from one such frame to the next. */
const MOST_KEPT = 4096;
const NO_BYTES = new Uint8Array(0);

// In place of a frame's length, while it is not known: no octet of a frame has come, or only the first of its length.
const NOTHING_READ = -1;
const HALF_LENGTH_READ = -2;

/**
 * Cuts a stream of TCP chunks, whatever their borders, into messages (RFC 1035, section 4.2.2). A message that lies whole in a chunk is
 * handed out in place; only one that lies across chunks is copied.
 */
export class FrameReader {
  readonly #mostKept: number;
  #partial: Uint8Array = NO_BYTES;
  #filled = 0;
  /** Of the frame across chunks, or one of the two above. */
  #length = NOTHING_READ;
  #firstOctet = 0;

  /** `keepsRoom`: for streams of long messages, the room of one is kept for the next, up to 64 KiB. */
  constructor({ keepsRoom = false }: { keepsRoom?: boolean } = {}) {
    this.#mostKept = keepsRoom ? MAX_MESSAGE_LENGTH : MOST_KEPT;
  }

  /** Some octets of a frame have come, and not all. */
  get isMidFrame(): boolean {
    return this.#length !== NOTHING_READ;
  }

  /** Takes the chunk in [start, end) and hands out every frame that it completes. */
  read(chunk: Uint8Array, start: number, end: number, sink: FrameSink): void {
    let offset = start;
    if (this.#length !== NOTHING_READ) offset = this.#finish(chunk, start, end, sink);
    while (offset < end) {
      if (offset + 1 === end) {
        this.#firstOctet = chunk[offset]!;
        this.#length = HALF_LENGTH_READ;
        return;
      }
      const frameStart = offset + 2;
      const frameEnd = frameStart + ((chunk[offset]! << 8) | chunk[offset + 1]!);
      if (frameEnd > end) {
        this.#length = frameEnd - frameStart;
        this.#filled = 0;
        this.#append(chunk, frameStart, end);
        return;
      }
      offset = frameEnd;
      sink.onFrame(chunk, frameStart, frameEnd);
    }
  }

  /** Goes on with the frame that an earlier chunk began; returns the offset of the next one, or `end`. */
  #finish(chunk: Uint8Array, start: number, end: number, sink: FrameSink): number {
    let offset = start;
    if (offset === end) return end;
    if (this.#length === HALF_LENGTH_READ) {
      this.#length = (this.#firstOctet << 8) | chunk[offset++]!;
      this.#filled = 0;
      const frameEnd = offset + this.#length;
      if (frameEnd <= end) {
        this.#length = NOTHING_READ;
        sink.onFrame(chunk, offset, frameEnd);
        return frameEnd;
      }
    }
    const length = this.#length;
    const taken = Math.min(length - this.#filled, end - offset);
    this.#append(chunk, offset, offset + taken);
    if (this.#filled < length) return end;
    const frame = this.#partial;
    if (frame.length > this.#mostKept) this.#partial = NO_BYTES;
    this.#length = NOTHING_READ;
    sink.onFrame(frame, 0, length);
    return offset + taken;
  }

  #append(chunk: Uint8Array, start: number, end: number): void {
    const filled = this.#filled + end - start;
    if (filled > this.#partial.length) {
      const room = Math.min(Math.max(2 * this.#partial.length, filled, FIRST_ROOM), Math.max(this.#length, FIRST_ROOM));
      const grown = new Uint8Array(room);
      grown.set(this.#partial.subarray(0, this.#filled));
      this.#partial = grown;
    }
    this.#partial.set(chunk.subarray(start, end), this.#filled);
    this.#filled = filled;
  }
}
