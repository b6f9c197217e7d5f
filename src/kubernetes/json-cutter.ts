import { setImmediate } from 'node:timers/promises';
import { WATCH_OBJECT_BYTES } from '../core/limits.ts';
import { ApiError } from './api-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Bytes that are read in a turn of the loop: some 20 objects, 0.4 ms. */
const PORTION = 16_384;

/** Gets each object that was cut out, and how deep it lay. */
export type OnObject = (value: unknown, depth: number) => void;

/**
 * Cuts JSON that comes in pieces into its objects, so that a list of ten thousand is never one text and never parsed in one go: each piece that the socket gives is
 * worked off by itself, and what is held is one object at the most.
 *
 *     depth 0   {"type":"ADDED","object":{…}}              a watch: one object after the other
 *     depth 1   {"kind":"ServiceList","metadata":{…},      a list: its own metadata lie at depth 1,
 *     depth 2    "items":[{…},{…}]}                        its items at depth 2
 */
export class JsonCutter {
  readonly #least: number;
  readonly #onObject: OnObject;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  #depth = 0;
  /** How deep the object lies that is being read; -1: none is. */
  #objectDepth = -1;
  #isInString = false;
  #isEscaped = false;

  /** `least`: objects that lie less deep are not cut out, but looked into. */
  constructor(least: 0 | 1, onObject: OnObject) {
    this.#least = least;
    this.#onObject = onObject;
  }

  /** Throws `ApiError` for what is no JSON, and for an object that is too long. What `onObject` throws comes through. */
  write(piece: Uint8Array): void {
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!;
      if (this.#isInString) this.#inString(byte);
      else if (byte === QUOTE) this.#isInString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (byte === OPEN_BRACE && this.#objectDepth < 0 && this.#depth >= this.#least) {
          this.#objectDepth = this.#depth;
          from = at;
        }
        this.#depth++;
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--;
        if (this.#depth < 0) throw new ApiError('malformed', "Cannot read the API server's answer: it is no JSON");
        if (this.#depth === this.#objectDepth) this.#cut(piece.subarray(from, at + 1));
      }
    }
    if (this.#objectDepth >= 0) this.#hold(piece.subarray(from));
  }

  /** True where nothing is left that has begun. */
  get isWhole(): boolean {
    return this.#depth === 0;
  }

  #inString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#isInString = false;
  }

  #cut(end: Uint8Array): void {
    this.#hold(end);
    const text = Buffer.concat(this.#held, this.#heldBytes).toString('utf8');
    const depth = this.#objectDepth;
    this.#held.length = 0;
    this.#heldBytes = 0;
    this.#objectDepth = -1;
    this.#onObject(parsed(text), depth);
  }

  #hold(part: Uint8Array): void {
    this.#held.push(part);
    this.#heldBytes += part.length;
    if (this.#heldBytes <= WATCH_OBJECT_BYTES.value) return;
    WATCH_OBJECT_BYTES.hits++;
    throw new ApiError(
      'malformed',
      `Cannot read the API server's answer: an object is longer than ${WATCH_OBJECT_BYTES.value} B`,
    );
  }
}

/**
 * A portion in each turn of the loop: a long list would hold up queries, however it comes. With turns between them a list of 10,000 Services also leaves 6 to 11 MB of garbage,
 * not 16.
 */
export async function cutAll(body: AsyncIterable<Uint8Array>, cutter: JsonCutter): Promise<void> {
  let left = PORTION;
  for await (const piece of body) {
    for (let at = 0; at < piece.length; ) {
      const portion = piece.subarray(at, at + left);
      cutter.write(portion);
      at += portion.length;
      left -= portion.length;
      if (left > 0) continue;
      await setImmediate();
      left = PORTION;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError('malformed', `Cannot read the API server's answer: ${(error as Error).message}`);
  }
}
