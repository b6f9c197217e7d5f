import { dirname, isAbsolute, join } from 'node:path';
import { COREFILE_IMPORTS } from '../../core/limits.ts';
import { shown } from '../complaints.ts';
import { type Token, tokenize } from './token.ts';
import { CorefileRefusal } from './token-cursor.ts';

export interface CorefileFiles {
  readFile(path: string): string;
  /** The names in a folder, in any order; throws what the system says. */
  listFolder(path: string): readonly string[];
}

/** What `import` brings in: the words of a snippet `(name)`, of a file, or of all files that a pattern with one `*` or `?` finds. */
export class Imports {
  readonly #files: CorefileFiles;
  readonly #onEmpty: (at: Token, pattern: string) => void;
  readonly #snippets = new Map<string, readonly Token[]>();
  #count = 0;

  /** `onEmpty` is told of a pattern that finds no file, which is no error. */
  constructor(files: CorefileFiles, onEmpty: (at: Token, pattern: string) => void) {
    this.#files = files;
    this.#onEmpty = onEmpty;
  }

  /** False where a snippet of that name is there already. */
  define(name: string, tokens: readonly Token[]): boolean {
    if (this.#snippets.has(name)) return false;
    this.#snippets.set(name, tokens);
    return true;
  }

  /** The words in the place of an `import` whose argument, `at`, says `name`. Throws `CorefileRefusal`. */
  tokensOf(at: Token, name: string): readonly Token[] {
    if (++this.#count > COREFILE_IMPORTS.value) {
      COREFILE_IMPORTS.hits++;
      const reason = `more than ${COREFILE_IMPORTS.value} imports; does ${shown(name)} import itself, by whatever way?`;
      throw new CorefileRefusal(at, reason);
    }
    return this.#snippets.get(name) ?? this.#pathsOf(at, name).flatMap((path) => this.#read(at, path));
  }

  #read(at: Token, path: string): Token[] {
    try {
      return tokenize(this.#files.readFile(path), path);
    } catch (error) {
      throw new CorefileRefusal(at, `${shown(path)}: ${(error as Error).message}; expected a snippet (name) or a file`);
    }
  }

  #pathsOf(at: Token, name: string): string[] {
    const pattern = isAbsolute(name) ? name : join(dirname(at.file), name);
    const wildcards = pattern.match(/[*?]/g) ?? [];
    if (new Set(wildcards).size < wildcards.length || /\[.*\]/.test(pattern)) {
      throw new CorefileRefusal(at, `${shown(pattern)}: expected at most one * and one ? in a pattern, and no [ ]`);
    }
    if (wildcards.length === 0) return [pattern];
    const paths = this.#matches(pattern);
    if (paths.length === 0) this.#onEmpty(at, pattern);
    return paths;
  }

  /** All paths that a pattern with wildcards in any part finds, in the order of their names. What cannot be listed has none. */
  #matches(pattern: string): string[] {
    let folders = [isAbsolute(pattern) ? '/' : ''];
    for (const part of pattern.split('/').filter((each) => each !== '')) {
      if (!/[*?]/.test(part)) folders = folders.map((folder) => join(folder, part));
      else folders = folders.flatMap((folder) => this.#namesIn(folder, part).map((name) => join(folder, name)));
    }
    return folders;
  }

  #namesIn(folder: string, pattern: string): string[] {
    try {
      const names = this.#files.listFolder(folder === '' ? '.' : folder);
      return names.filter((name) => matchesWildcards(name, pattern)).sort();
    } catch {
      return [];
    }
  }
}

/** Whether `name` fits a pattern with at most one `*` and one `?`. */
function matchesWildcards(name: string, pattern: string): boolean {
  const [head = '', tail] = pattern.split('*', 2);
  if (tail === undefined) return fits(name, head);
  if (name.length < head.length + tail.length) return false;
  return fits(name.slice(0, head.length), head) && fits(name.slice(name.length - tail.length), tail);
}

function fits(text: string, pattern: string): boolean {
  return text.length === pattern.length && [...pattern].every((each, index) => each === '?' || each === text[index]);
}
