import { hash } from 'node:crypto';

/** Of a file that is not there, or cannot be read. */
export const NO_FILE = '';

/** Equal for equal contents of a file, or equal names in a folder; and short, so that large files need not be kept to be compared. */
export function fingerprint(content: string | readonly string[]): string {
  return hash('sha256', typeof content === 'string' ? content : JSON.stringify(content.toSorted()), 'base64');
}

/** What a folder is kept under, among paths of files. */
export function folderKey(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}

/** The folder that is kept under a key; undefined where the key is a file's path. */
export function folderOf(key: string): string | undefined {
  return key.endsWith('/') ? key : undefined;
}

/** Whether two sets of files are the same ones with the same contents: fingerprints by path. */
export function isSameContent(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [path, content] of a) if (b.get(path) !== content) return false;
  return true;
}
