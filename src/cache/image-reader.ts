import { read } from 'node:fs';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import type { Clock } from '../core/clock.ts';
import { inSlices, type Steps } from '../core/slices.ts';
import { HEADER_LENGTH } from '../wire/constants.ts';
import { type AnswerCache, KNOWN, NO_ROOM } from './answer-cache.ts';
import { AnswerDraft } from './answer-draft.ts';
import type { DropWatch } from './drops.ts';
import { KIND_NEGATIVE } from './entry-memory.ts';
import { ImageBlock } from './image-block.ts';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  corrupt,
  decodeHeader,
  ENTRY_HEAD_BYTES,
  FLAG_REPLACES,
  HEADER_BYTES,
  MOST_LABEL_BYTES,
  MOST_ZONES,
  RECORD_ENTRY,
  RECORD_ZONE,
  TRAILER_BYTES,
  TRAILER_MAGIC,
  ZONE_HEAD_BYTES,
} from './image-format.ts';
import { ImageRecord } from './image-record.ts';
import { ageMs, type ImageTime, imageTimeNow } from './image-time.ts';
import type { ImageZone, ImageZones } from './image-zone.ts';

export interface LoadOptions {
  clock: Clock;
  zones: ImageZones;
  /** Of the names in the cache's keys. */
  seed: number;
  /** Ends it between two blocks: what was loaded stays, and the promise rejects. */
  signal?: AbortSignal | undefined;
  /** For tests. */
  time?: () => ImageTime;
}

export interface LoadedImage {
  /** Entries that are in the cache now. */
  entries: number;
  /** Octets of the image. */
  bytes: number;
  /** How old it was; rather too much than too little. */
  ageMs: number;
  /** Entries passed over: of which this process knew something fresher, or for which there was no room. */
  known: number;
  noRoom: number;
  /** Entries whose time is over, those included that could not bridge a silent upstream any more. */
  over: number;
  /** Entries of zones that are answered otherwise now, or were dropped while it was read. */
  otherwise: number;
  /** Entries that are not to be believed. None, but for a file that somebody else has made. */
  invalid: number;
}

const readAt = promisify(read);
const ROOT = new Uint8Array(1);
/** Entries of a step: some 20 us. */
const ENTRIES_A_STEP = 8;

/**
 * Puts in what the image in `fd`, read from its start, has, a millisecond a turn of the loop, while the cache is at work. Nothing that this process has learnt itself gives way to
 * it; what an earlier image has brought does. Every block is checked before anything of it is kept, and each entry as if it came from the network.
 * Rejects with ERR_IMAGE_FOREIGN, _VERSION, _CORRUPT or _AGE, or the system's error; the blocks before a damaged one stay.
 */
export function loadImage(fd: number, cache: AnswerCache, options: LoadOptions): Promise<LoadedImage> {
  return new ImageReader(fd, cache, options).load();
}

class ImageReader {
  readonly #fd: number;
  readonly #cache: AnswerCache;
  readonly #options: LoadOptions;
  readonly #block = new ImageBlock();
  readonly #record: ImageRecord;
  readonly #draft = new AnswerDraft();
  readonly #labels: string[] = [];
  /** The last one is at work. */
  readonly #watches: DropWatch[];
  readonly #loaded: LoadedImage = {
    entries: 0,
    bytes: 0,
    ageMs: 0,
    known: 0,
    noRoom: 0,
    over: 0,
    otherwise: 0,
    invalid: 0,
  };
  /** The process's time when the image was made. */
  #madeMs = 0;
  #crc = 0;
  #blocks = 0;
  /** Entries that it has. */
  #count = 0;

  constructor(fd: number, cache: AnswerCache, options: LoadOptions) {
    this.#fd = fd;
    this.#cache = cache;
    this.#options = options;
    this.#record = new ImageRecord(this.#block, options.seed);
    this.#watches = [cache.watchDrops()];
  }

  async load(): Promise<LoadedImage> {
    try {
      await this.#readHeader();
      while (await this.#readBlock()) this.#options.signal?.throwIfAborted();
      return this.#loaded;
    } finally {
      this.#watches.at(-1)!.close();
    }
  }

  async #readHeader(): Promise<void> {
    const { clock, time = imageTimeNow } = this.#options;
    const { bytes } = this.#block;
    const header = bytes.subarray(0, await this.#read(bytes, HEADER_BYTES));
    const made = decodeHeader(header);
    this.#crc = crc32(header);
    this.#loaded.ageMs = ageMs(made, time());
    this.#madeMs = clock.nowMs() - this.#loaded.ageMs;
    this.#cache.expect(made.expected);
    if ((made.flags & FLAG_REPLACES) !== 0) this.#forgetAll();
  }

  /** This drop speaks of what there was, not of what comes. */
  #forgetAll(): void {
    this.#watches[0]!.close();
    this.#cache.dropBelow(ROOT);
    this.#watches.push(this.#cache.watchDrops());
  }

  /** False after the last. */
  async #readBlock(): Promise<boolean> {
    const { bytes, u32 } = this.#block;
    if ((await this.#read(bytes, BLOCK_HEADER_BYTES)) < BLOCK_HEADER_BYTES) throw corrupt('it ends too early');
    const [magic, length, crc, number] = [u32[0]!, u32[1]!, u32[2]!, u32[3]!];
    if (number !== this.#blocks) throw corrupt('a block is missing');
    if (magic === TRAILER_MAGIC) {
      await this.#readTrailer(crc);
      return false;
    }
    if (magic !== BLOCK_MAGIC || length > BLOCK_BYTES - BLOCK_HEADER_BYTES || length % 8 !== 0) {
      throw corrupt(`block ${number} is none`);
    }
    const block = bytes.subarray(0, BLOCK_HEADER_BYTES + length);
    if ((await this.#read(bytes, length, BLOCK_HEADER_BYTES)) < length) throw corrupt('it ends too early');
    if (crc32(block.subarray(BLOCK_HEADER_BYTES)) !== crc) throw corrupt(`block ${number} does not match its checksum`);
    this.#crc = crc32(block, this.#crc);
    this.#blocks++;
    await inSlices(this.#readRecords(BLOCK_HEADER_BYTES + length));
    return true;
  }

  async #readTrailer(crc: number): Promise<void> {
    const { bytes, u32, f64 } = this.#block;
    const rest = TRAILER_BYTES - BLOCK_HEADER_BYTES;
    const before = this.#loaded.bytes - BLOCK_HEADER_BYTES;
    if ((await this.#read(bytes, rest, BLOCK_HEADER_BYTES)) < rest) throw corrupt('it ends too early');
    const isWhole = u32[1] === rest && u32[4] === this.#count && u32[5] === 0 && f64[3] === before;
    if (crc !== this.#crc || !isWhole) throw corrupt('the whole does not match its checksum');
  }

  *#readRecords(end: number): Steps<void> {
    const { u32 } = this.#block;
    let next: number;
    for (let at = BLOCK_HEADER_BYTES, done = 1; at < end; at = next, done++) {
      const length = u32[at >> 2]!;
      next = at + length;
      if (length < 16 || length % 8 !== 0 || next > end) throw corrupt('a record is longer than its block');
      const what = u32[(at >> 2) + 1]!;
      if (what === RECORD_ZONE) this.#readZone(at, length);
      else if (what === RECORD_ENTRY && length >= ENTRY_HEAD_BYTES) this.#readEntry(at, length);
      else throw corrupt(`a record of kind ${what}`);
      if (done % ENTRIES_A_STEP === 0) yield;
    }
  }

  #readZone(at: number, length: number): void {
    const { bytes, u16 } = this.#block;
    const labelLength = u16[(at >> 1) + 5]!;
    const isNext = u16[(at >> 1) + 4] === this.#labels.length && this.#labels.length < MOST_ZONES;
    if (!isNext || labelLength > MOST_LABEL_BYTES || ZONE_HEAD_BYTES + labelLength > length)
      throw corrupt('a zone is none');
    const start = at + ZONE_HEAD_BYTES;
    this.#labels.push(bytes.toString('utf8', start, start + labelLength));
  }

  #readEntry(at: number, length: number): void {
    const record = this.#record;
    const loaded = this.#loaded;
    this.#count++;
    if (!record.read(at, length)) {
      loaded.invalid++;
      return;
    }
    const nameStart = record.start + HEADER_LENGTH;
    const zone = this.#options.zones.ofName(record.bytes, nameStart, record.nameEnd);
    const isDropped = this.#watches.some((watch) => watch.isDropped(record.bytes, nameStart, record.nameEnd));
    if (zone === undefined || zone.label !== this.#labels[record.zone] || isDropped) loaded.otherwise++;
    else this.#keep(zone);
  }

  #keep(zone: ImageZone): void {
    const record = this.#record;
    const loaded = this.#loaded;
    const cache = this.#cache;
    const draft = this.#draft;
    const nowMs = this.#options.clock.nowMs();
    const { staleSeconds, keepLastGoodSeconds } = zone.cache;
    // No life is longer than the configuration lets it be, whatever the file says.
    const endMs = Math.min(this.#madeMs + record.leftMs, nowMs + longestSeconds(zone, record.kind) * 1000);
    const refreshMs = this.#madeMs + record.refreshLeftMs;
    const keptUntilMs = record.isKept ? Math.min(refreshMs, nowMs + keepLastGoodSeconds * 1000) : 0;
    if (record.isKept ? keptUntilMs <= nowMs : endMs + staleSeconds * 1000 <= nowMs) {
      loaded.over++;
      return;
    }
    record.fill(draft);
    draft.zone = zone.id;
    draft.seconds = Math.min(draft.seconds, longestSeconds(zone, record.kind));
    draft.keptUntilMs = keptUntilMs;
    const at = cache.restore(record, draft, nowMs);
    if (at === KNOWN) loaded.known++;
    else if (at === NO_ROOM) loaded.noRoom++;
    else {
      const { memory } = cache;
      memory.setFreshUntilMs(at, record.isKept ? Math.min(endMs, keptUntilMs) : endMs);
      memory.setRefreshAtMs(at, record.isKept ? keptUntilMs : refreshMs);
      memory.setHits(at, record.hits);
      loaded.entries++;
      if (record.isOutdated) cache.outdate(at, nowMs);
      else cache.onKeep?.(at, record, true);
    }
  }

  /** Reads `length` octets to the block's `offset`, fewer where the file ends; returns how many. */
  async #read(bytes: Buffer, length: number, offset = 0): Promise<number> {
    let done = 0;
    while (done < length) {
      const { bytesRead } = await readAt(this.#fd, bytes, offset + done, length - done, this.#loaded.bytes);
      if (bytesRead === 0) break;
      done += bytesRead;
      this.#loaded.bytes += bytesRead;
    }
    return done;
  }
}

/** A "no" that lived longer because its change would have been heard of does so no more: nobody listened in between. */
function longestSeconds({ cache }: ImageZone, kind: number): number {
  const { positiveMaxSeconds, positiveMinSeconds, negativeMaxSeconds, negativeMinSeconds } = cache;
  if (kind === KIND_NEGATIVE) return Math.max(negativeMaxSeconds, negativeMinSeconds);
  return Math.max(positiveMaxSeconds, positiveMinSeconds);
}
