import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Of pods whose generation is still known: a node has two of us at one time, or three. */
const KEPT = 16;

/**
 * The generation of a pod on this node: the same whenever one of its containers starts, and higher than that of every pod that came before. A file for each, named by the number, holds
 * the pod's UID; it appears whole or not at all, so two that start at once get two numbers. Without `pod` every call is a pod of its own.
 * Where there is no room to note it, `onUnnoted` is told, and the number is good for this process: a later one may get the same. Rejects with the system's error where the folder cannot be used.
 */
export async function generationOf(
  pod: string | undefined,
  state: string,
  onUnnoted: (error: Error) => void = () => {},
): Promise<number> {
  const folder = join(state, 'generations');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = pod ?? randomUUID();
  const draft = join(folder, `.${name.replaceAll('/', '_').slice(0, 64)}.${process.pid}`);
  let next = 1;
  try {
    for (;;) {
      const numbers = await numbersIn(folder);
      for (const number of numbers) if ((await readOrNothing(join(folder, String(number)))) === name) return number;
      next = (numbers[0] ?? 0) + 1;
      await writeFile(draft, name, { mode: 0o600 });
      if (await linkNew(draft, join(folder, String(next)))) {
        for (const number of numbers.slice(KEPT - 1)) await rm(join(folder, String(number)), { force: true });
        return next;
      }
    }
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    onUnnoted(error as Error);
    return next;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Notes a generation again where somebody has tidied up: pods that come later must not count as older. Rejects with the system's error. */
export async function noteGeneration(pod: string | undefined, state: string, generation: number): Promise<void> {
  const folder = join(state, 'generations');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, String(generation)), pod ?? randomUUID(), { mode: 0o600, flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
}

function isNoRoom(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** The highest first. */
async function numbersIn(folder: string): Promise<number[]> {
  const names = (await readdir(folder)).filter((name) => /^[1-9]\d{0,14}$/.test(name));
  return names.map(Number).sort((a, b) => b - a);
}

async function readOrNothing(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

/** False where another was sooner. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
