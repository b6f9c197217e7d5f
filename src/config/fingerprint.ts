import { hash } from 'node:crypto';

/** Of a file that is not there, or cannot be read. */
export const NO_FILE = '';

/** Equal for equal contents, and short, so that large files need not be kept to be compared. */
export function fingerprint(text: string): string {
  return hash('sha256', text, 'base64');
}

/** Whether two sets of files are the same ones with the same contents: fingerprints by path. */
export function isSameContent(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [path, content] of a) if (b.get(path) !== content) return false;
  return true;
}
