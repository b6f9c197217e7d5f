import { dirname, join } from 'node:path/posix';
import type { Finding, SourceFile } from './source-file.ts';

/** Rooms from the ground up. A room imports from lower levels only: those of one level meet in a higher one. */
const LEVELS: readonly (readonly string[])[] = [
  ['core'],
  ['wire', 'config', 'metrics', 'native'],
  ['cache', 'upstream', 'route', 'search'],
  ['resolve'],
  ['listen', 'admin', 'handover', 'node-network', 'kubernetes'],
  ['agent'],
  ['demo', 'doctor', 'manifests'],
  ['cli'],
];

/** Packages and the only places that may import them, so that each can be replaced in one place. */
const IMPORTERS: Readonly<Record<string, readonly string[]>> = {
  koffi: ['src/native/'],
  'dns-packet': ['src/wire/codec.ts'],
  'prom-client': ['src/metrics/'],
  commander: ['src/cli/'],
  undici: ['src/kubernetes/'],
  pino: ['src/agent/logger.ts'],
  yaml: ['src/demo/', 'src/config/', 'src/doctor/', 'src/kubernetes/kubeconfig.ts', 'src/manifests/'],
  // Built into dist/ as far as it is used, so it is no package of those who install this one.
  valibot: ['src/config/yaml-schema.ts', 'src/config/yaml-settings.ts'],
};

interface Import {
  readonly path: string;
  readonly line: number;
  readonly specifier: string;
}

/** Imports against the direction of the levels, or between rooms of one level. */
export function findLayerBreaches(files: readonly SourceFile[]): Finding[] {
  return sourceImports(files).flatMap(({ path, line, specifier }) => {
    if (!specifier.startsWith('.')) return [];
    const from = roomOf(path);
    const to = roomOf(join(dirname(path), specifier));
    if (from === to) return [];
    const unknown = [from, to].find((room) => levelOf(room) < 0);
    if (unknown !== undefined) {
      return [{ path, line, message: `Room '${unknown}' has no level: give it one in test/tidy/imports.ts` }];
    }
    if (levelOf(to) < levelOf(from)) return [];
    const message = `${from}/ may not import ${specifier} of ${to}/: pass it in from a higher room, or declare what is needed in a lower one`;
    return [{ path, line, message }];
  });
}

/** Packages imported elsewhere than in the room that owns them. */
export function findForeignPackages(files: readonly SourceFile[]): Finding[] {
  return sourceImports(files).flatMap(({ path, line, specifier }) => {
    if (specifier.startsWith('.') || specifier.startsWith('node:')) return [];
    const name = packageOf(specifier);
    const owners = IMPORTERS[name];
    if (owners === undefined) {
      return [{ path, line, message: `No room owns the package '${name}': name one in test/tidy/imports.ts` }];
    }
    if (owners.some((owner) => path === owner || (owner.endsWith('/') && path.startsWith(owner)))) return [];
    return [{ path, line, message: `'${name}' is imported by ${owners.join(', ')} alone: ask that room` }];
  });
}

function sourceImports(files: readonly SourceFile[]): Import[] {
  return files
    .filter(({ path }) => path.startsWith('src/') && path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((code, index) => {
        if (/^\s*(?:\/\/|\*|\/\*)/.test(code)) return [];
        return [...code.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\s*\(\s*)(['"])([^'"]+)\1/g)].map((match) => ({
          path,
          line: index + 1,
          specifier: match[2]!,
        }));
      }),
    );
}

function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function levelOf(room: string): number {
  return LEVELS.findIndex((rooms) => rooms.includes(room));
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
