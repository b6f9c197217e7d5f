import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Of a file that is looked at, no more than this: 1 MiB, a hundred times what any of them has. */
const READ_BYTES = 1024 * 1024;

/** The node's own files: `/` on the node itself, another folder where they are mounted (`kubectl debug node/…` has them at /host). */
export class HostFiles {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Where a file of the node lies for this process. */
  path(path: string): string {
    return join(this.root, path);
  }

  /** Undefined where it is not there, may not be read, or is no text of a plausible length. */
  async read(path: string): Promise<string | undefined> {
    const file = this.path(path);
    const facts = await stat(file).catch(() => undefined);
    if (facts === undefined || !facts.isFile() || facts.size > READ_BYTES) return undefined;
    return readFile(file, 'utf8').catch(() => undefined);
  }

  /** The names in a folder, sorted; none where it cannot be read. */
  async list(path: string): Promise<string[]> {
    return (await readdir(this.path(path)).catch(() => [])).sort();
  }
}
