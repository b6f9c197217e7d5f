import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BenchError } from './bench-error.ts';

export interface Programs {
  readonly dnsblast: string;
  readonly tcpblast: string;
  readonly udpLimit: string;
  /** What node runs: the agent, built and laid out as it is installed. */
  readonly agent: string;
}

/** What the load generators have in common. */
const GENERATOR_PARTS = ['queries', 'tally'];

/** Builds what is measured and what measures. Throws where there is no C compiler or the build fails. */
export function buildPrograms(root: string): Programs {
  const build = join(root, 'bench', 'build');
  mkdirSync(build, { recursive: true });
  return {
    dnsblast: compile(root, build, 'dnsblast', GENERATOR_PARTS),
    tcpblast: compile(root, build, 'tcpblast', GENERATOR_PARTS),
    udpLimit: compile(root, build, 'udp-limit'),
    agent: install(root, build),
  };
}

/** In a folder without sources, `bin/signpost.js` runs what was built. Packages are found in the checkout's own node_modules above it. */
function install(root: string, build: string): string {
  const npm = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, encoding: 'utf8' });
  if (npm.status !== 0) throw new BenchError(`Cannot build the agent (npm run build):\n${npm.stdout}${npm.stderr}`);
  const folder = join(build, 'package');
  rmSync(folder, { recursive: true, force: true });
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true });
  return join(folder, 'bin', 'signpost.js');
}

/** The first of these names on PATH or in the folders where daemons are kept; undefined where there is none. */
export function findProgram(name: string): string | undefined {
  const { PATH = '' } = process.env;
  const folders = [...PATH.split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Its own source and those of its parts, each part with a header. */
function compile(root: string, build: string, name: string, parts: readonly string[] = []): string {
  const source = (file: string) => join(root, 'bench', file);
  const sources = [name, ...parts].map((part) => source(`${part}.c`));
  const headers = parts.map((part) => source(`${part}.h`));
  const program = join(build, name);
  if ([...sources, ...headers].some((file) => !isNewer(program, file)))
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', program, ...sources], { stdio: 'inherit' });
  return program;
}

function isNewer(made: string, source: string): boolean {
  const time = statSync(made, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return time > statSync(source).mtimeMs;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
