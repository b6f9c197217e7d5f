import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import type { Clock } from '../core/clock.ts';
import { inSlices, type Steps } from '../core/slices.ts';
import { copyBytes } from '../wire/copy.ts';
import type { AnswerCache } from './answer-cache.ts';
import { DNSSEC_SHIFT, ENTRY_HEADER, KIND_FAILURE, MOST_IMAGES, STATE_KEPT } from './entry-memory.ts';
import { ImageBlock } from './image-block.ts';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  ENTRY_HEAD_BYTES,
  encodeHeader,
  FLAG_REPLACES,
  IMAGE_OUTDATED,
  MOST_LABEL_BYTES,
  RECORD_ENTRY,
  RECORD_ZONE,
  TRAILER_BYTES,
  TRAILER_MAGIC,
  ZONE_HEAD_BYTES,
} from './image-format.ts';
import { type ImageTime, imageTimeNow } from './image-time.ts';
import type { ImageZones } from './image-zone.ts';
import { PAGE_BYTES } from './slab.ts';

export interface SaveOptions {
  clock: Clock;
  zones: ImageZones;
  /** Write only what is new since that image of the same cache. Where zones were dropped meanwhile, it is a whole one that replaces the other. */
  since?: SavedImage;
  /** Octets of the whole; what lies beyond is left out. Without it, as many as there are. */
  mostBytes?: number;
  /** For a disk that others use too. Without it, as fast as it goes. */
  bytesPerSecond?: number;
  /** Ends it between two blocks: the promise rejects, the file is of no use. */
  signal?: AbortSignal | undefined;
  /** For tests. */
  time?: () => ImageTime;
}

export interface SavedImage {
  readonly entries: number;
  readonly bytes: number;
  /** Entries left out because the image would have become too large. */
  readonly left: number;
  /** True: whoever has read an earlier one must forget it, and `loadImage` does. */
  readonly replaces: boolean;
  /** What tells it from others, for `since`. */
  readonly number: number;
  /** `AnswerCache.generation` when it was begun: while that stays, the image has nothing that was dropped since. */
  readonly generation: number;
}

const writeAt = promisify(write);
const MOST_OF_ZONE = ZONE_HEAD_BYTES + MOST_LABEL_BYTES;

/**
 * Writes all answers that are worth keeping to `fd`, from its start, while the cache is at work: a page of the slab in a step, a millisecond a turn of the loop, and the thread pool writes. What is
 * stored, moved, given up or dropped meanwhile does no harm; what is stored behind the walk is in the next image that has this one for `since`.
 * Rejects with the system's error where the file takes no more.
 */
export function saveImage(fd: number, cache: AnswerCache, options: SaveOptions): Promise<SavedImage> {
  return new ImageWriter(fd, cache, options).write();
}

class ImageWriter {
  readonly #fd: number;
  readonly #cache: AnswerCache;
  readonly #options: SaveOptions;
  readonly #block = new ImageBlock();
  readonly #number: number;
  readonly #generation: number;
  /** Entries of the image of that number are left out; 0: none are. */
  readonly #since: number;
  /** All lives count from here. */
  readonly #nowMs: number;
  /** Numbers of zones that stand in the image already, by their ids. */
  readonly #zones = new Map<number, number>();
  #at = BLOCK_HEADER_BYTES;
  /** An entry of the page found no room in the block. */
  #hasOverflow = false;
  #blocks = 0;
  #bytes = 0;
  #crc = 0;
  #entries = 0;
  #left = 0;
  readonly #visit = (at: number): void => this.#writeEntry(at);

  constructor(fd: number, cache: AnswerCache, options: SaveOptions) {
    this.#fd = fd;
    this.#cache = cache;
    this.#options = options;
    cache.images = (cache.images % MOST_IMAGES) + 1;
    this.#number = cache.images;
    this.#generation = cache.generation;
    this.#since = options.since?.generation === cache.generation ? options.since.number : 0;
    this.#nowMs = options.clock.nowMs();
  }

  async write(): Promise<SavedImage> {
    const { since, time = imageTimeNow } = this.#options;
    const replaces = since !== undefined && this.#since === 0;
    const startMs = performance.now();
    await this.#put(encodeHeader({ ...time(), flags: replaces ? FLAG_REPLACES : 0, expected: this.#cache.size }));
    for (let page = 0; page < this.#cache.pages; ) {
      page = await inSlices(this.#fill(page));
      await this.#putBlock();
      await this.#pace(startMs);
    }
    await this.#putTrailer();
    return {
      entries: this.#entries,
      bytes: this.#bytes,
      left: this.#left,
      replaces,
      number: this.#number,
      generation: this.#generation,
    };
  }

  /** Fills the block with pages from `first` on; the result is the next one. */
  *#fill(first: number): Steps<number> {
    let page = first;
    // An entry is no longer in the image than in its slot, so that a page fits but for the zones that it is the first of.
    while (page < this.#cache.pages && this.#at + PAGE_BYTES <= BLOCK_BYTES) {
      this.#hasOverflow = false;
      this.#cache.forEachOfPage(page, this.#visit);
      // Visited again, what is written already is passed over.
      if (this.#hasOverflow) return page;
      page++;
      yield;
    }
    return page;
  }

  #writeEntry(at: number): void {
    const { memory } = this.#cache;
    if (!this.#isWanted(at)) return;
    const length = recordBytes(
      ENTRY_HEAD_BYTES + memory.optionsStart(at) + memory.optionsLength(at) - at - ENTRY_HEADER,
    );
    if (this.#isFull(length)) {
      this.#left++;
      return;
    }
    if (this.#at + length + MOST_OF_ZONE > BLOCK_BYTES) {
      this.#hasOverflow = true;
      return;
    }
    const zone = this.#zoneNumber(memory.zone(at));
    if (zone === -1) return;
    this.#writeHead(at, length, zone);
    const start = this.#at + ENTRY_HEAD_BYTES;
    const end = memory.optionsStart(at) + memory.optionsLength(at);
    const written = copyBytes(memory.bytes, at + ENTRY_HEADER, end, this.#block.bytes, start);
    this.#block.bytes.fill(0, written, this.#at + length);
    this.#at += length;
    this.#entries++;
    memory.setImageNumber(at, this.#number);
  }

  /**
   * Failures last a second; what is in the image already has moved since; what is over for good, or out of date, helps nobody. But who has it from the image before must hear
   * that it is out of date.
   */
  #isWanted(at: number): boolean {
    const { memory } = this.#cache;
    const number = memory.imageNumber(at);
    if (memory.kind(at) === KIND_FAILURE || number === this.#number) return false;
    const isThere = this.#since !== 0 && number === this.#since;
    if (memory.isOutdated(at) !== isThere) return false;
    if (memory.has(at, STATE_KEPT)) return memory.refreshAtMs(at) > this.#nowMs;
    const zone = this.#options.zones.ofId(memory.zone(at));
    return zone !== undefined && memory.freshUntilMs(at) + zone.cache.staleSeconds * 1000 > this.#nowMs;
  }

  #isFull(length: number): boolean {
    const { mostBytes = Number.POSITIVE_INFINITY } = this.#options;
    return this.#bytes + this.#at + length + MOST_OF_ZONE + TRAILER_BYTES > mostBytes;
  }

  #writeHead(at: number, length: number, zone: number): void {
    const { memory } = this.#cache;
    const { u16, u32, f64 } = this.#block;
    const to = this.#at;
    u32[to >> 2] = length;
    u32[(to >> 2) + 1] = RECORD_ENTRY;
    // An entry that was hit since the image was begun has TTLs of that moment: no life is longer than they say.
    f64[(to >> 3) + 1] = Math.min(memory.freshUntilMs(at) - this.#nowMs, memory.ttlSeconds(at) * 1000);
    f64[(to >> 3) + 2] = memory.refreshAtMs(at) - this.#nowMs;
    u32[(to >> 2) + 6] = memory.ttlSeconds(at);
    const index = (to >> 1) + 14;
    u16[index] = zone;
    u16[index + 1] = memory.kind(at);
    const state = (memory.has(at, STATE_KEPT) ? STATE_KEPT : 0) | (memory.isOutdated(at) ? IMAGE_OUTDATED : 0);
    u16[index + 2] = (memory.dnssecBits(at) << DNSSEC_SHIFT) | state;
    u16[index + 3] = memory.flags(at);
    u16[index + 4] = memory.rcode(at);
    u16[index + 5] = memory.hits(at);
    u16[index + 6] = memory.questionLength(at);
    u16[index + 7] = memory.bodyLength(at);
    u16[index + 8] = memory.answers(at);
    u16[index + 9] = memory.authorities(at);
    u16[index + 10] = memory.additionals(at);
    u16[index + 11] = memory.optionsLength(at);
    u32[(to >> 2) + 13] = 0;
  }

  /** The number of a zone in this image; writes the zone where it is new. -1: its entries are not written. */
  #zoneNumber(id: number): number {
    const known = this.#zones.get(id);
    if (known !== undefined) return known;
    const label = this.#options.zones.ofId(id)?.label;
    if (label === undefined || Buffer.byteLength(label) > MOST_LABEL_BYTES) return -1;
    const number = this.#zones.size;
    this.#zones.set(id, number);
    const { bytes, u16, u32 } = this.#block;
    const to = this.#at;
    const labelLength = bytes.write(label, to + ZONE_HEAD_BYTES);
    const length = recordBytes(ZONE_HEAD_BYTES + labelLength);
    u32[to >> 2] = length;
    u32[(to >> 2) + 1] = RECORD_ZONE;
    u16[(to >> 1) + 4] = number;
    u16[(to >> 1) + 5] = labelLength;
    bytes.fill(0, to + ZONE_HEAD_BYTES + labelLength, to + length);
    this.#at += length;
    return number;
  }

  async #putBlock(): Promise<void> {
    if (this.#at === BLOCK_HEADER_BYTES) return;
    const { bytes, u32 } = this.#block;
    u32[0] = BLOCK_MAGIC;
    u32[1] = this.#at - BLOCK_HEADER_BYTES;
    u32[2] = crc32(bytes.subarray(BLOCK_HEADER_BYTES, this.#at));
    u32[3] = this.#blocks++;
    await this.#put(bytes.subarray(0, this.#at));
    this.#at = BLOCK_HEADER_BYTES;
  }

  async #putTrailer(): Promise<void> {
    const trailer = Buffer.alloc(TRAILER_BYTES);
    trailer.writeUInt32LE(TRAILER_MAGIC, 0);
    trailer.writeUInt32LE(TRAILER_BYTES - BLOCK_HEADER_BYTES, 4);
    trailer.writeUInt32LE(this.#crc, 8);
    trailer.writeUInt32LE(this.#blocks, 12);
    trailer.writeUInt32LE(this.#entries, 16);
    trailer.writeDoubleLE(this.#bytes, 24);
    await this.#put(trailer);
  }

  async #put(bytes: Buffer): Promise<void> {
    this.#crc = crc32(bytes, this.#crc);
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await writeAt(this.#fd, bytes, done, bytes.length - done, this.#bytes);
      done += bytesWritten;
      this.#bytes += bytesWritten;
    }
  }

  /** Waits until so many octets were due. */
  async #pace(startMs: number): Promise<void> {
    const { bytesPerSecond, signal } = this.#options;
    signal?.throwIfAborted();
    if (bytesPerSecond === undefined) return;
    const dueMs = startMs + (this.#bytes / bytesPerSecond) * 1000;
    const waitMs = dueMs - performance.now();
    if (waitMs >= 1) await sleep(waitMs, undefined, { ...(signal && { signal }) });
  }
}

function recordBytes(length: number): number {
  return (length + 7) & ~7;
}
