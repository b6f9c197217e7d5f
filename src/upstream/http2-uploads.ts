import { WINDOW_MOST } from '../wire/http2.ts';

/** The body of one request, of which the window of its stream has not let all out yet. */
interface Upload {
  readonly body: Uint8Array;
  sent: number;
  /** What the server will take of this stream; below 0 where it took back what it had granted (RFC 9113, section 6.9.2). */
  window: number;
}

/** Writes one piece of a body. */
export type SendPiece = (stream: number, bytes: Uint8Array, start: number, end: number, isEnd: boolean) => void;

/**
 * Bodies that are longer than the window that a server gives a new stream. A server may give none until it has read the head (nginx with
 * `http2_body_preread_size 0`); with most there is never anything here.
 */
export class Http2Uploads {
  readonly #uploads = new Map<number, Upload>();
  readonly #send: SendPiece;

  constructor(send: SendPiece) {
    this.#send = send;
  }

  get isEmpty(): boolean {
    return this.#uploads.size === 0;
  }

  /** Takes a body; `body` is its own from here on. */
  add(stream: number, body: Uint8Array, window: number): void {
    this.#uploads.set(stream, { body, sent: 0, window });
  }

  /** The stream is done with; whether not all of its body had left. */
  drop(stream: number): boolean {
    return this.#uploads.delete(stream);
  }

  /** One stream's window grew, while the connection's is `room`; returns what is left of that, or -1 where the window is larger than one can be. */
  grow(stream: number, by: number, room: number): number {
    const upload = this.#uploads.get(stream);
    if (upload === undefined) return room;
    upload.window += by;
    return upload.window > WINDOW_MOST ? -1 : this.#flushOne(stream, upload, room);
  }

  /** The server has changed the window of all streams. */
  shift(by: number): void {
    for (const upload of this.#uploads.values()) upload.window += by;
  }

  /** Sends what the windows let out, that of the connection being `room`; returns what is left of it. */
  flush(room: number): number {
    let left = room;
    for (const [stream, upload] of this.#uploads) left = this.#flushOne(stream, upload, left);
    return left;
  }

  #flushOne(stream: number, upload: Upload, room: number): number {
    const { body, sent, window } = upload;
    const length = Math.min(body.length - sent, window, room);
    if (length <= 0) return room;
    upload.sent += length;
    upload.window -= length;
    const isEnd = upload.sent === body.length;
    if (isEnd) this.#uploads.delete(stream);
    this.#send(stream, body, sent, upload.sent, isEnd);
    return room - length;
  }
}
