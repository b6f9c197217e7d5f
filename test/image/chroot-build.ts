import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { program } from '../servers/programs.ts';
import type { Instruction, Stage } from './dockerfile.ts';

/** What a step of a build saw and said, for the message of a failed test. */
export class StepError extends Error {}

export interface ChrootBuildOptions {
  /** The build's context: what COPY copies from. */
  readonly context: string;
  /** A Debian as `debootstrap` makes it. */
  readonly debian: string;
  /** Where the stages are built; removed by `remove`. */
  readonly folder: string;
}

/** npm's own, wherever it is on this machine; what it was told stays true inside. */
const NPM = dirname(dirname(realpathSync(program('npm'))));

/**
 * Does what a Dockerfile says without Docker: a copy of a plain Debian for each stage, in which Node.js and npm are where its own images have them, and a
 * chroot for each RUN. Needs root. Known are the instructions and forms that our Dockerfile uses; any other is an error.
 */
export class ChrootBuild {
  readonly #options: ChrootBuildOptions;
  readonly #roots = new Map<string, string>();

  constructor(options: ChrootBuildOptions) {
    this.#options = options;
  }

  /** Builds the stages in turn; returns the folder of the last. `args` are what the builder would set, such as TARGETARCH. */
  build(stages: readonly Stage[], args: Readonly<Record<string, string>>): string {
    const roots = stages.map((stage, index) => {
      const root = join(this.#options.folder, stage.name ?? `stage-${index}`);
      if (stage.name !== undefined) this.#roots.set(stage.name, root);
      this.#begin(root);
      this.#run(root, stage.steps, args);
      return root;
    });
    return roots.at(-1)!;
  }

  remove(): void {
    rmSync(this.#options.folder, { recursive: true, force: true });
  }

  #begin(root: string): void {
    must('cp', ['--archive', '--reflink=auto', this.#options.debian, root]);
    const local = join(root, 'usr/local');
    cpSync(process.execPath, join(local, 'bin/node'));
    cpSync(NPM, join(local, 'lib/node_modules/npm'), { recursive: true, dereference: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
    for (const file of ['resolv.conf', 'hosts'])
      cpSync(join('/etc', file), join(root, 'etc', file), { dereference: true });
    const authorities = trusted();
    if (authorities !== undefined) {
      cpSync(authorities, join(root, 'etc/extra-authorities.pem'), { dereference: true });
    }
  }

  #run(root: string, steps: readonly Instruction[], args: Readonly<Record<string, string>>): void {
    let folder = '/';
    const env: Record<string, string> = {};
    for (const { word, text } of steps) {
      if (word === 'WORKDIR') {
        folder = text;
        mkdirSync(join(root, folder), { recursive: true });
      } else if (word === 'COPY') this.#copy(root, folder, text);
      else if (word === 'RUN') chroot(root, folder, ['sh', '-c', text], { ...buildEnvironment(), ...env });
      else if (word === 'ARG') env[text] = args[text] ?? '';
      else if (word === 'ENV') Object.assign(env, Object.fromEntries([text.split('=') as [string, string]]));
      else if (!['USER', 'ENTRYPOINT', 'CMD'].includes(word)) throw new StepError(`${word} ${text}: not known here`);
    }
  }

  #copy(root: string, folder: string, text: string): void {
    const words = text.split(' ');
    const from = /^--from=(.*)$/.exec(words[0]!)?.[1];
    const source = from === undefined ? this.#options.context : this.#roots.get(from)!;
    const target = join(root, folder, words.at(-1)!);
    for (const path of words.slice(from === undefined ? 0 : 1, -1)) {
      const isInto = words.at(-1)!.endsWith('/');
      cpSync(join(source, path), isInto ? join(target, path) : target, { recursive: true, verbatimSymlinks: true });
    }
  }
}

/** Runs a program inside, with /proc and /dev; returns what it printed. Throws `StepError` where it fails. */
export function chroot(
  root: string,
  folder: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
  prefix: readonly string[] = [],
): string {
  const script = [
    'set -e',
    'mount --bind "$1" "$1"',
    'mount -t proc proc "$1/proc"',
    'mount --rbind /dev "$1/dev"',
    'root=$1 folder=$2',
    'shift 2',
    // The program's own PATH, not the one of this machine.
    'exec chroot "$root" /usr/bin/env -C "$folder" "$@"',
  ].join('\n');
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return must(
    'unshare',
    ['--mount', ...prefix, 'sh', '-c', script, 'sh', root, folder, path, 'HOME=/root', ...command],
    env,
  );
}

/** What reaches the network from here does so from inside as well. */
function buildEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => /^(?:https?|no)_proxy$/i.test(name));
  return {
    ...Object.fromEntries(kept),
    ...(trusted() !== undefined && { NODE_EXTRA_CA_CERTS: '/etc/extra-authorities.pem' }),
    npm_config_registry: must('npm', ['config', 'get', 'registry']).trim(),
    npm_config_update_notifier: 'false',
    DEBIAN_FRONTEND: 'noninteractive',
  };
}

/** Whom this machine trusts: Node.js has a list of its own, which does not know the authority of a proxy on the way. */
function trusted(): string | undefined {
  return [process.env['NODE_EXTRA_CA_CERTS'], '/etc/ssl/certs/ca-certificates.crt'].find(
    (file) => file !== undefined && existsSync(file),
  );
}

function must(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  // npm tells the scripts that it runs what it was told itself; one below them must not take that for its own.
  const own = Object.entries(process.env).filter(([key]) => !/^npm_(?:config|package|lifecycle)/.test(key));
  const { status, stdout, stderr } = spawnSync(name, args, {
    env: { ...Object.fromEntries(own), ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0)
    throw new StepError(`${name} ${args.slice(-3).join(' ')}: ${status}\n${stdout}\n${stderr}`.slice(-8000));
  return stdout;
}

/** Names in a folder below a root, none where it is not there. */
export function listIn(root: string, folder: string): string[] {
  const path = join(root, folder);
  return existsSync(path) ? readdirSync(path) : [];
}
