import { basename } from 'node:path/posix';
import { type Finding, findLines, type SourceFile } from './source-file.ts';

const MAX_LINES = 400;

/** Code files that are too long to be held in the head. */
export function findLongFiles(files: readonly SourceFile[]): Finding[] {
  return files.filter(isCode).flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length;
    if (lines <= MAX_LINES) return [];
    return [
      { path, line: MAX_LINES + 1, message: `${lines} lines, ${MAX_LINES} at most: split by what changes together` },
    ];
  });
}

/** Marks of work that is not done, and debug output. The character classes keep the patterns from finding themselves. */
export function findLeftovers(files: readonly SourceFile[]): Finding[] {
  return files
    .filter(isCode)
    .flatMap((file) => [
      ...findLines(
        file,
        /\b(?:TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/,
        (word) => `${word}: do it, or write an issue and take it out`,
      ),
      ...findLines(file, /^\s*debugge[r]\b/, () => 'A breakpoint was left: take it out'),
      ...(mayPrint(file.path)
        ? []
        : findLines(file, /\bconsole\s*\./, (call) => `${call} in a room: use the Logger that the room was given`)),
      ...findLines(
        file,
        /\b(?:test|it|describe|suite)\.onl[y]\b|\bonl[y]: true/,
        (mark) => `${mark} hides all other tests: take it out`,
      ),
    ]);
}

/** Files that only pass on what others export, and names that say nothing. */
export function findBarrels(files: readonly SourceFile[]): Finding[] {
  return files.filter(isCode).flatMap((file) => {
    const found = findLines(file, /^export \*/, () => 'Passes on the exports of another file: import from that one');
    if (/^index\.(?:ts|js|mjs)$/.test(basename(file.path))) {
      found.push({ path: file.path, line: 1, message: 'A barrel file: name it after its one noun' });
    }
    if (/^(?:utils?|helpers?|common|managers?|misc)\b/.test(basename(file.path))) {
      found.push({ path: file.path, line: 1, message: `'${basename(file.path)}' says nothing: find the noun` });
    }
    return found;
  });
}

/** Paths of one machine and hosts of one network: they are wrong everywhere else. */
export function findMachineTraces(files: readonly SourceFile[]): Finding[] {
  return files
    .filter(({ path }) => path !== 'package-lock.json')
    .flatMap((file) => [
      ...findLines(
        file,
        /(?<![\w.-])\/(?:wor[k]|roo[t]|tm[p]|hom[e])(?=\/)/,
        (path) => `${path} is a path of one machine: take it from os.tmpdir(), import.meta or an option`,
      ),
      ...findLines(
        file,
        /https?:\/\/[^\s'"`)]*(?:registr[y]|artifactor[y]|mirro[r])|^\s*registr[y]\s*=|\bGOPROX[Y]=|\bfar[m]-\w+/,
        (trace) => `'${trace.trim()}' names the network of one machine: leave it to the user's own settings`,
      ),
    ]);
}

/** A lock file with the addresses of one registry in it. */
export function findLockedHosts(files: readonly SourceFile[]): Finding[] {
  return files
    .filter(({ path }) => path === 'package-lock.json')
    .flatMap((file) =>
      findLines(
        file,
        /"resolved":/,
        () => 'A registry address: set omit-lockfile-registry-resolved=true and run npm install again',
      ),
    );
}

/** Limits whose comment does not say what they rest on and what happens when they are full. */
export function findUnexplainedLimits(files: readonly SourceFile[]): Finding[] {
  return files
    .filter(({ path }) => path === 'src/core/limits.ts')
    .flatMap((file) => {
      const lines = file.text.split('\n');
      return findLines(file, /^export const \w+ = limit\(.*/, (declaration) => declaration).flatMap((found) => {
        const comment = commentBefore(lines, found.line - 1);
        const [, constant, name = ''] = /(\w+) = limit\('(\w*)/.exec(found.message) ?? [];
        // A limit in bytes is its own sum.
        if (!name.endsWith('_bytes') && !/\d|\b(?:half|third|quarter|twice)\b/.test(comment)) {
          return [{ ...found, message: `${constant} has no sum: say in its doc comment how many times what it is` }];
        }
        if (!/\b(?:Full|Longer|More)\b/.test(comment)) {
          return [{ ...found, message: `${constant} does not say what happens then: add 'Full: ...' to its comment` }];
        }
        return [];
      });
    });
}

/** Flags of a command's help that no page of the documentation names. */
export function findUndocumentedFlags(help: string, pages: readonly SourceFile[]): Finding[] {
  return [...new Set(help.match(/(?<![\w-])--[a-z][a-z-]+/g) ?? [])]
    .filter((flag) => !pages.some(({ text }) => new RegExp(`${flag}(?![\\w-])`).test(text)))
    .map((flag) => ({ path: 'README.md', line: 1, message: `${flag} is not explained: add it to the table of flags` }));
}

function commentBefore(lines: readonly string[], index: number): string {
  let start = index - 1;
  if (!lines[start]?.trimEnd().endsWith('*/')) return '';
  while (start > 0 && !lines[start]!.includes('/**')) start--;
  return lines.slice(start, index).join('\n');
}

function isCode({ path }: SourceFile): boolean {
  return /^(?:src|bin|test|bench|tools)\/.*\.(?:ts|js|mjs)$/.test(path);
}

function mayPrint(path: string): boolean {
  return !path.startsWith('src/') || path.startsWith('src/cli/');
}
