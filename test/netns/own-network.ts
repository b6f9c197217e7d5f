import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../servers/programs.ts';

export interface OwnNetwork {
  /** Further addresses of `lo`, with their prefix length: `169.254.20.10/32`. 127.0.0.0/8 and ::1 are there. */
  readonly addresses?: readonly string[];
  /** What files of the machine say in here, by path, such as `/etc/resolv.conf`. They must exist. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Set in the process that is inside. */
const MARK = 'SIGNPOST_TEST_NETWORK';

/**
 * Begins the test file anew, as the same process, with a network and mounts of its own: every server that it starts and every socket that it opens is in there, port
 * 53 is free, and resolv.conf can be what the test needs. Nobody else sees it, and the kernel removes it with the last process. Called before any test is declared; needs root
 * (`skipWithoutNamespaces('unshare', 'mount')`).
 */
export function enterOwnNetwork({ addresses = [], files = {} }: OwnNetwork): void {
  if (process.env[MARK]) return;
  const script = [
    'set -e',
    'ip link set lo up',
    ...addresses.map((address) => `ip address add ${address} dev lo`),
    ...Object.entries(files).map(([path, text]) => bindMount(path, text)),
    'exec "$@"',
  ].join('\n');
  const inside = ['unshare', '--net', '--mount', 'sh', '-c', script, 'sh'];
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve!(program('unshare'), [...inside, ...self], { ...process.env, [MARK]: '1' });
}

/** Name look-ups of programs ask the DNS server at this address and nobody else: no service of the machine does it for them. */
export function resolverFiles(host: string): Readonly<Record<string, string>> {
  return { '/etc/resolv.conf': `nameserver ${host}\n`, '/etc/nsswitch.conf': 'hosts: files dns\n' };
}

/** The mount keeps the file alive that it shows, so that it can be deleted at once. */
function bindMount(path: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-mount-'));
  const file = join(folder, 'file');
  writeFileSync(file, text, { mode: 0o644 });
  return `mount --bind '${file}' '${path}'\nrm -r '${folder}'`;
}
