import type { SavedImage } from '../cache/image-writer.ts';

/** A socket and what it is known by: `udp 169.254.20.10:53`, `tcp …`, `http 127.0.0.1:9254`. */
export interface HeldSocket {
  readonly name: string;
  readonly descriptor: number;
}

/** What an agent has to hand over, as far as the hand-over needs to know it. */
export interface Holdings {
  /** Writes the cache to a file; with `since`, what is new. */
  saveCache(fd: number, since: SavedImage | undefined): Promise<SavedImage>;
  /** Copies are passed: they stay ours. Undefined: they cannot be passed here. */
  sockets(): readonly HeldSocket[] | undefined;
  /** A successor reads: reads no more and keeps the sockets; what is in flight is answered, connections are served on. */
  pause(): void;
  /** Nobody else serves: reads again. */
  resume(): Promise<void>;
  /** What is cached may be out of date at and below a zone, or, where none is given, anywhere: drops it. */
  forget(zone?: string): void;
  /** Frees the addresses, for one that must bind them itself. What it returns has them again, or rejects. */
  yield(): Promise<() => Promise<void>>;
}

/** How long each step may take. Whoever is late is given up, and the old one serves on. */
export interface HandoverTimes {
  /** A line that needs no work. */
  readonly answerMs: number;
  /** The cache is written, or read: 32 MiB take a second. */
  readonly cacheMs: number;
  /** From the sockets to the first read: addresses, listeners, HTTP servers. */
  readonly readingMs: number;
  /** How much later each process further down the line looks whether nobody serves. */
  readonly rankMs: number;
  /** Until one that failed is tried again. */
  readonly againMs: number;
}

export const HANDOVER_TIMES: HandoverTimes = {
  answerMs: 3000,
  cacheMs: 20_000,
  readingMs: 10_000,
  rankMs: 400,
  againMs: 500,
};
