import { closeSync, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SavedImage } from '../../../src/cache/image-writer.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { HandoverTimes, Holdings } from '../../../src/handover/holdings.ts';
import { Succession, type SuccessionParts } from '../../../src/handover/succession.ts';
import { openMemoryFile } from '../../../src/native/descriptors.ts';
import { loadLibc } from '../../../src/native/libc.ts';

export const libc = await loadLibc();

/** Long enough for a busy machine where something is to come, short where it is not. */
export const TIMES: HandoverTimes = { answerMs: 2000, cacheMs: 4000, readingMs: 4000, rankMs: 100, againMs: 50 };

const SAVED: SavedImage = { entries: 3, bytes: 5, left: 0, replaces: false, number: 1, generation: 0 };
const LOADED = { entries: 3, bytes: 5, ageMs: 0, known: 0, noRoom: 0, over: 0, otherwise: 0, invalid: 0 };

/** A node's folder, and processes on it that are objects here: what they hold is one file, and whoever reads it serves. */
export class House {
  readonly state = mkdtempSync(join(tmpdir(), 'signpost-handover-'));
  readonly path = join(this.state, 'handover.sock');
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    t.after(() => rmSync(this.state, { recursive: true, force: true }));
  }

  async start(pod: string | undefined, parts: Partial<SuccessionParts> = {}): Promise<Process> {
    const process = await this.newcomer(pod, parts);
    await process.begin();
    return process;
  }

  /** Has not asked anybody yet. */
  async newcomer(pod: string | undefined, parts: Partial<SuccessionParts> = {}): Promise<Process> {
    const process = new Process();
    const succession = await Succession.open({
      state: this.state,
      pod,
      attempt: 0,
      version: '0.0.0',
      libc,
      log: silentLogger,
      times: TIMES,
      loadCache: async () => {
        process.loads++;
        return LOADED;
      },
      ...parts,
    });
    process.succession = succession;
    this.#t.after(() => process.end());
    return process;
  }
}

export class Process implements Holdings {
  succession!: Succession;
  /** What it does with its sockets: `reads`, `paused`, `yielded`. */
  state: 'closed' | 'reads' | 'paused' | 'yielded' = 'closed';
  passes = true;
  saves = 0;
  loads = 0;
  /** Errors that `saveCache` gives. */
  saveError: Error | undefined;
  /** What it was told to drop: a zone, or '*'. */
  readonly forgotten: string[] = [];
  #socket = -1;

  async begin(): Promise<void> {
    await this.succession.enter(async () => {
      this.#socket = this.succession.take('udp 127.0.0.1:53') ?? openMemoryFile(libc, 'signpost-test');
      this.state = 'reads';
    });
    await this.succession.settle(this);
  }

  async saveCache(fd: number): Promise<SavedImage> {
    this.saves++;
    if (this.saveError !== undefined) throw this.saveError;
    writeSync(fd, 'bytes', 0);
    return SAVED;
  }

  sockets() {
    return this.passes ? [{ name: 'udp 127.0.0.1:53', descriptor: this.#socket }] : undefined;
  }

  pause(): void {
    this.state = 'paused';
  }

  async resume(): Promise<void> {
    this.state = 'reads';
  }

  forget(zone?: string): void {
    this.forgotten.push(zone ?? '*');
    // As its cache says it.
    this.succession.dropped(zone ?? '.');
  }

  async yield(): Promise<() => Promise<void>> {
    this.state = 'yielded';
    return () => this.resume();
  }

  /** As its death looks from outside. */
  end(): void {
    this.succession.close();
    this.state = 'closed';
    if (this.#socket !== -1) closeSync(this.#socket);
    this.#socket = -1;
  }
}

export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + 15_000;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`never seen: ${what}`);
    await sleep(5);
  }
}
