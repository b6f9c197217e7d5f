import type { Flags, Surroundings } from './flags.ts';
import { configFromFlags, type LoadedConfig } from './from-flags.ts';
import type { SettingsReader } from './settings-reader.ts';
import { Snapshot } from './snapshot.ts';

/** Files that are replaced all the time are read again so often until all of them are of one moment. */
const READS = 5;

/** Flags and files, read once. */
export interface Reading {
  /** What they come to. Throws `ConfigErrors`. */
  readonly outcome: () => LoadedConfig;
  /** Fingerprints by path of all files that were asked for. */
  readonly contents: ReadonlyMap<string, string>;
  /** Characters of all files. */
  readonly length: number;
}

/** Reads all files as they were at one moment: where one was replaced while others were read, all are read again. */
export function readConfig(flags: Flags, surroundings: Surroundings, readers: readonly SettingsReader[]): Reading {
  for (let reads = 1; ; reads++) {
    const snapshot = new Snapshot(surroundings);
    const outcome = attempt(() => configFromFlags(flags, snapshot, readers));
    // What was made of files of two moments counts for nothing, and neither does an error.
    if (reads === READS || snapshot.isStillSo())
      return { outcome, contents: snapshot.contents, length: snapshot.length };
  }
}

/** What `run` gives, or throws, when it is asked for. */
function attempt<T>(run: () => T): () => T {
  try {
    const value = run();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
