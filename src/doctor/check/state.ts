import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnosis, error, note, ok, warning } from '../diagnosis.ts';
import { sizeText } from '../size-text.ts';
import type { Check } from './check.ts';

/** As statfs(2) names memory. */
const TMPFS_MAGIC = 0x01021994;

/** What a snapshot of a full cache of 32 MiB, its successor beside it while it is written, and some to spare take. */
const ROOM_BYTES = 128 * 1024 * 1024;

/** `--state`: hand-over socket and snapshot. */
export const stateCheck: Check = {
  name: 'state',
  async look({ config, agentFiles }) {
    if (config === undefined) return [];
    const { state } = config;
    if (state === undefined) {
      return [
        note(
          'state-none',
          'no --state: an upgrade begins with an empty cache, and nobody answers while the agent is replaced',
          'mount a folder of the node, and give it with --state (manifests: /run/signpost)',
        ),
      ];
    }
    return examineFolder(state, agentFiles.path(state));
  },
};

async function examineFolder(name: string, path: string): Promise<Diagnosis[]> {
  const facts = await stat(path).catch((cause: NodeJS.ErrnoException) => cause);
  if (facts instanceof Error) {
    const remedy = 'mount a folder of the node there, that the agent may write to';
    return [error('state-missing', `${name} (--state) cannot be seen: ${facts.code}`, remedy)];
  }
  if (!facts.isDirectory()) return [error('state-missing', `${name} (--state) is no folder`)];
  const refused = await access(path, constants.W_OK | constants.X_OK).then(
    () => undefined,
    (cause: NodeJS.ErrnoException) => cause.code,
  );
  if (refused !== undefined) {
    const remedy =
      refused === 'EROFS' ? 'mount it without readOnly' : 'give it to the user that the agent runs as (UID 0)';
    return [error('state-not-writable', `${name} (--state) cannot be written to: ${refused}`, remedy)];
  }
  const bytes = await folderBytes(path);
  const { type, bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const where = type === TMPFS_MAGIC ? 'in memory, gone at a reboot' : 'on a disk';
  const findings = [ok('state-writable', `${name} holds ${sizeText(bytes)}, ${where}`)];
  if (free < ROOM_BYTES) {
    const message = `there is room for ${sizeText(free)} more: a snapshot of the cache may not fit`;
    findings.push(warning('state-full', message, `free some of what ${name} lies on`));
  }
  return findings;
}

async function folderBytes(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
