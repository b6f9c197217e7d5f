import { fingerprint, folderKey, folderOf, NO_FILE } from './fingerprint.ts';
import type { Surroundings } from './flags.ts';

/** Surroundings for one reading of the configuration: each file is read once, and remembered by what was in it. */
export class Snapshot implements Surroundings {
  readonly env: Surroundings['env'];
  readonly isTerminal: boolean;
  /** Fingerprints by path of all files and folders that were asked for, those included that are not there. */
  readonly contents = new Map<string, string>();
  readonly #surroundings: Surroundings;
  readonly #texts = new Map<string, string>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.env = surroundings.env;
    this.isTerminal = surroundings.isTerminal;
  }

  // Bound, for readers take them out of their surroundings.
  readonly readFile = (path: string): string => {
    const known = this.#texts.get(path);
    if (known !== undefined) return known;
    // Until it has been read.
    this.contents.set(path, NO_FILE);
    const text = this.#surroundings.readFile(path);
    this.contents.set(path, fingerprint(text));
    this.#texts.set(path, text);
    return text;
  };

  readonly listFolder = (path: string): readonly string[] => {
    const key = folderKey(path);
    this.contents.set(key, NO_FILE);
    const names = this.#list(path);
    this.contents.set(key, fingerprint(names));
    return names;
  };

  #list(path: string): readonly string[] {
    return this.#surroundings.listFolder?.(path) ?? [];
  }

  /** Characters of all files that were read. */
  get length(): number {
    let sum = 0;
    for (const text of this.#texts.values()) sum += text.length;
    return sum;
  }

  /** Whether all files are still what they were: if so, they were all so at one moment. */
  isStillSo(): boolean {
    for (const [path, content] of this.contents) if (this.#contentNow(path) !== content) return false;
    return true;
  }

  #contentNow(path: string): string {
    try {
      const folder = folderOf(path);
      return fingerprint(folder === undefined ? this.#surroundings.readFile(path) : this.#list(folder));
    } catch {
      return NO_FILE;
    }
  }
}
