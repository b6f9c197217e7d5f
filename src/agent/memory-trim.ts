import { loadTrim } from '../native/malloc.ts';

const EVERY_MS = 5000;

/**
 * Gives free memory back every five seconds. The threads that compile hot functions free some 10 MB in the first seconds under load, and each
 * keeps them, for itself alone, as long as the process lives. Returns what ends it.
 */
export async function trimMemory(everyMs = EVERY_MS): Promise<() => void> {
  const trim = await loadTrim();
  if (trim === undefined) return () => {};
  const timer = setInterval(trim, everyMs).unref();
  return () => clearInterval(timer);
}
