import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../servers/child.ts';
import { program, refuseInCi } from '../servers/programs.ts';

const RELEASE = 'trixie';
const PACKAGES = ['libc6', 'libcares2', 'musl'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Loaders that run a program with the libraries of a newer Debian: what stands before its path. */
export interface NewerLibraries {
  /** And c-ares with it. */
  readonly glibc: readonly string[];
  readonly musl: readonly string[];
}

/**
 * libc6, c-ares and musl of a newer Debian than the machine's may be, taken by apt from the machine's own mirror into `folder` once. Undefined on a machine that knows no
 * Debian, where nothing says where to take them from, and, but for CI, without a network.
 */
export async function newerLibraries(folder: string): Promise<NewerLibraries | undefined> {
  const root = join(folder, [RELEASE, ...PACKAGES].join('-'));
  if (!existsSync(root)) {
    if (!existsSync(KEYRING)) return undefined;
    const work = `${root}.${process.pid}`;
    try {
      await unpack(await debianMirror(), work);
      renameSync(join(work, 'root'), root);
    } catch (error) {
      refuseInCi(`${(error as Error).message}`);
      return undefined;
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  const triplet = readdirSync(join(root, 'usr/lib')).find((name) => name.endsWith('-linux-gnu'))!;
  const libraries = join(root, 'usr/lib', triplet);
  const loader = readdirSync(libraries).find((name) => name.startsWith('ld-linux'))!;
  return {
    glibc: [join(libraries, loader), '--library-path', libraries],
    musl: [join(root, 'usr/lib', triplet.replace('gnu', 'musl'), 'libc.so')],
  };
}

/** Of what an update would fetch: of that alone apt tells where no lists were fetched before. */
async function debianMirror(): Promise<string> {
  const { stdout } = await run(program('apt-get'), ['--print-uris', 'update']);
  const mirror = /^'(\S+\/debian)\/dists\//m.exec(stdout)?.[1];
  if (mirror === undefined) throw new Error(`Cannot find a mirror of Debian among what apt would fetch: ${stdout}`);
  return mirror;
}

/** With state of apt's own kind, in a folder of its own: the machine's packages stay as they are. */
async function unpack(mirror: string, work: string): Promise<void> {
  for (const path of ['state/lists/partial', 'cache/archives/partial', 'root']) {
    mkdirSync(join(work, path), { recursive: true });
  }
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${KEYRING}] ${mirror} ${RELEASE} main\n`);
  writeFileSync(join(work, 'status'), '');
  const settings = [
    `Dir::State=${join(work, 'state')}`,
    `Dir::State::status=${join(work, 'status')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    `Dir::Etc::sourcelist=${join(work, 'sources.list')}`,
    'Dir::Etc::sourceparts=/dev/null',
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'APT::Sandbox::User=root',
  ].flatMap((setting) => ['-o', setting]);
  await must('apt-get', [...settings, '-qq', 'update'], work);
  await must('apt-get', [...settings, '-qq', 'download', ...PACKAGES], work);
  for (const file of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
    await must('dpkg-deb', ['--extract', join(work, file), join(work, 'root')], work);
  }
}

async function must(name: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await run(program(name), args, { cwd });
  if (code !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr}`);
}
