import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SignpostError } from '../core/errors.ts';

const NAME = 'cache.image';
/** What is being written, and a part that one who was killed has left. */
const PART = /^cache\.image\.[0-9a-f]{8}\.part$/;
/** No writing takes so long. */
const LEFT_BEHIND_MS = 10 * 60_000;
const OTHERS_MAY_WRITE = 0o022;

/** The snapshot in the folder of `--state`: the old one stays until the new one is whole and on the disk. */
export class SnapshotFile {
  readonly path: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, NAME);
  }

  /** Gives `use` the file to read, and what it comes to; undefined where there is none. Rejects with ERR_SNAPSHOT_OWNER for one that others could have written. */
  async read<T>(use: (fd: number) => Promise<T>): Promise<T | undefined> {
    // Not to be led elsewhere, nor to wait for whoever writes to a pipe.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(this.path, flags).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    try {
      await expectOurs(file);
      return await use(file.fd);
    } finally {
      await file.close();
    }
  }

  /** Gives `use` a new file to write; it takes the place of the old one when `use` is done and `isWanted` says so, and the disk has it. */
  async write<T>(use: (fd: number) => Promise<T>, isWanted: (written: T) => boolean): Promise<T> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const part = `${this.path}.${randomBytes(4).toString('hex')}.part`;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = await open(part, flags, 0o600);
    try {
      const written = await use(file.fd);
      await file.sync();
      if (!isWanted(written)) return written;
      await rename(part, this.path);
      await this.#syncFolder();
      return written;
    } finally {
      await file.close();
      // Not there any more where it was renamed.
      await unlink(part).catch(() => {});
    }
  }

  /** Takes the file away, where there is one. */
  async remove(): Promise<void> {
    await unlink(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }

  /** Takes away what a process that was killed has left half written. */
  async sweep(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names.filter((found) => PART.test(found))) {
      const path = join(this.#folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      if (Date.now() - mtimeMs > LEFT_BEHIND_MS) await unlink(path).catch(() => {});
    }
  }

  /** The new name, too, must outlive a power cut. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, constants.O_RDONLY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

async function expectOurs(file: FileHandle): Promise<void> {
  const { uid, mode, isFile } = await file.stat().then((stats) => ({ ...stats, isFile: stats.isFile() }));
  const isOurs = uid === process.getuid?.() || uid === 0;
  if (isFile && isOurs && (mode & OTHERS_MAY_WRITE) === 0) return;
  throw new SignpostError(
    'ERR_SNAPSHOT_OWNER',
    'Not a file that only this user could have written: others can put answers in it',
  );
}
