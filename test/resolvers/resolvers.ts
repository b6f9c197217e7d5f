import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../servers/child.ts';
import { program, refuseInCi, skipWithout } from '../servers/programs.ts';
import { newerLibraries } from './newer-debian.ts';

/** A resolver as programs have it inside them; how it is spoken to stands in lookup.ts. */
export interface Resolver {
  readonly name: string;
  readonly command: readonly string[];
  /** Of many addresses it gives a few, by chance: musl takes 48, and before 1.2.4 only those in a datagram. */
  readonly givesSome: boolean;
  /** Where a server fails it asks again until its time is over: musl. */
  readonly asksOn: boolean;
}

const BUILT = join(import.meta.dirname, '../../.cache/resolvers');
/** Debian's own, which has Debian's packages. */
const PYTHON = '/usr/bin/python3';

const FILES: readonly (readonly [path: string, debianPackage: string])[] = [
  ['/usr/include/ares.h', 'libc-ares-dev'],
  ['/usr/lib/python3/dist-packages/dns', 'python3-dnspython'],
];

/** Why resolvers cannot be had here, or false. */
export function skipWithoutResolvers(): string | false {
  const missing = skipWithout('cc', 'musl-gcc', 'go');
  if (missing) return missing;
  const absent = FILES.filter(([path]) => !existsSync(path)).map(([, name]) => name);
  return absent.length > 0 && refuseInCi(`not installed: ${absent.join(', ')}`);
}

/** Every resolver that Debian, in the machine's release and a newer one, Go and Node.js give; built where that was not done before. */
export async function installResolvers(): Promise<readonly Resolver[]> {
  const [newer, glibc, musl, newerMusl, cAres, go] = await Promise.all([
    newerLibraries(BUILT),
    build('glibc', 'libc-lookup.c', ['cc', '-O1'], ['-lresolv']),
    build('musl', 'libc-lookup.c', ['musl-gcc', '-static', '-O1']),
    build('musl-dynamic', 'libc-lookup.c', ['musl-gcc', '-O1']),
    build('c-ares', 'c-ares-lookup.c', ['cc', '-O1'], ['-lcares']),
    build('go', 'go-lookup.go', ['go', 'build', '-trimpath']),
  ]);
  const node = [process.execPath, join(import.meta.dirname, 'node-lookup.ts')];
  const python = [PYTHON, join(import.meta.dirname, 'dnspython_lookup.py')];
  const ofNewer: readonly [string, readonly string[]][] = newer
    ? [
        ['newer glibc', [...newer.glibc, glibc]],
        ['newer c-ares', [...newer.glibc, cAres]],
        ['newer musl', [...newer.musl, newerMusl]],
      ]
    : [];
  const commands: readonly [string, readonly string[]][] = [
    ['glibc', [glibc]],
    ['musl', [musl]],
    ['c-ares', [cAres]],
    ['go', [go]],
    ['dnspython', python],
    ["node's lookup", node],
    ["node's resolve", [...node, 'resolve']],
    ...ofNewer,
  ];
  return commands.map(([name, command]) => {
    const isMusl = name.endsWith('musl');
    return { name, command, givesSome: isMusl, asksOn: isMusl };
  });
}

/** The program built from `source`; there already where neither that nor the way of building has changed. */
async function build(
  name: string,
  source: string,
  [compiler, ...flags]: readonly string[],
  libraries: readonly string[] = [],
): Promise<string> {
  const path = join(import.meta.dirname, source);
  const hash = createHash('sha256')
    .update(readFileSync(path))
    .update([compiler, ...flags, ...libraries].join(' '));
  const target = join(BUILT, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(target)) return target;
  mkdirSync(BUILT, { recursive: true });
  const unfinished = `${target}.${process.pid}`;
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' };
  const { code, stderr } = await run(program(compiler!), [...flags, '-o', unfinished, path, ...libraries], { env });
  if (code !== 0) throw new Error(`Cannot build ${source}: ${stderr}`);
  renameSync(unfinished, target);
  return target;
}
