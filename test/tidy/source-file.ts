import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** A file of the repository as the rules see it. */
export interface SourceFile {
  /** From the top of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** One breach of a rule; `message` says what is wrong and what to do about it. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

const SKIPPED = new Set(['node_modules', '.git', 'dist', '.cache', 'build', 'results']);
const TEXT =
  /(?:\.(?:ts|js|mjs|json|jsonc|md|yaml|yml|sh|c|h|conf|zone)|\/Dockerfile|\/\.npmrc|\/\.dockerignore|\.ci\/run)$/;

/** All text files below `root`, sorted by path. */
export function readSourceFiles(root: string): SourceFile[] {
  return filesBelow(root)
    .filter((file) => TEXT.test(file))
    .map((file) => ({ path: relative(root, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What is skipped is not entered: a whole system may lie there, with folders that come and go. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

/** A finding for every line of `file` that `pattern` matches. */
export function findLines(file: SourceFile, pattern: RegExp, message: (match: string) => string): Finding[] {
  return file.text.split('\n').flatMap((text, index) => {
    const match = pattern.exec(text);
    return match === null ? [] : [{ path: file.path, line: index + 1, message: message(match[0]) }];
  });
}

export function formatFindings(findings: readonly Finding[]): string {
  return findings.map(({ path, line, message }) => `${path}:${line}: ${message}`).join('\n');
}
