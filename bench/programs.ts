import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Programs {
  readonly dnsblast: string;
  readonly udpLimit: string;
  /** What node runs: the built agent. */
  readonly agent: string;
}

/** Builds what is measured and what measures. Throws where there is no C compiler or the build fails. */
export function buildPrograms(root: string): Programs {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  return {
    dnsblast: compile(root, 'dnsblast'),
    udpLimit: compile(root, 'udp-limit'),
    agent: join(root, 'dist', 'cli', 'main.js'),
  };
}

/** The first of these names on PATH or in the folders where daemons are kept; undefined where there is none. */
export function findProgram(name: string): string | undefined {
  const { PATH = '' } = process.env;
  const folders = [...PATH.split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function compile(root: string, name: string): string {
  const source = join(root, 'bench', `${name}.c`);
  const folder = join(root, 'bench', 'build');
  const program = join(folder, name);
  mkdirSync(folder, { recursive: true });
  if (!isNewer(program, source))
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', program, source], { stdio: 'inherit' });
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
