/** A longer head of a response, or one in more frames, is not that of a DNS server. Without a bound frames of no bytes could go on for ever. */
const BYTES_MOST = 16_384;
const FRAMES_MOST = 16;

const NO_BYTES = new Uint8Array(0);

/** A header block that lies in more than one frame (RFC 9113, section 4.3): nothing else may come between them. */
export class HeadBlock {
  /** Whose it is; 0: none is open. */
  stream = 0;
  /** Of its first frame. */
  flags = 0;
  bytes: Uint8Array = NO_BYTES;
  #frames = 0;

  /** Begins with what is in [start, end). */
  begin(stream: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    this.stream = stream;
    this.flags = flags;
    this.bytes = new Uint8Array(bytes.subarray(start, end));
    this.#frames = 1;
  }

  /** Goes on; false where that is too much of it, or not the one that is open. */
  add(stream: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = this.bytes.length + end - start;
    if (stream !== this.stream || stream === 0 || length > BYTES_MOST || ++this.#frames > FRAMES_MOST) return false;
    const grown = new Uint8Array(length);
    grown.set(this.bytes);
    grown.set(bytes.subarray(start, end), this.bytes.length);
    this.bytes = grown;
    return true;
  }

  close(): void {
    this.stream = 0;
    this.bytes = NO_BYTES;
  }
}
