import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask, type Server } from '../client/ask.ts';
import { Child, run } from './child.ts';
import { freePort } from './free-port.ts';
import { program } from './programs.ts';

/** What `startNamed` runs, for `skipWithout`. */
export const NAMED_PROGRAMS = ['named', 'dnssec-keygen', 'dnssec-signzone'] as const;

const ZONES = fileURLToPath(new URL('zones', import.meta.url));

export interface Named {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** The trust anchor of signed.test as delv reads it. */
  readonly trustAnchor: string;
  /** The DNSKEY record of signed.test's key-signing key, as Unbound reads it. */
  readonly dnskey: string;
  /** Stops it in mid-air, until `resume`: its port is open, and nobody answers. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends the process hard and starts it again on the same port. */
  restart(): Promise<void>;
  /** Ends the process hard; `restart` brings it back. */
  end(): Promise<void>;
  stop(): Promise<void>;
}

export interface NamedOptions {
  readonly host?: string;
  readonly port?: number;
  /** More statements for its `options` block. */
  readonly settings?: string;
  /** The network that it runs in, where not the machine's own. */
  readonly within?: Network;
}

/** What of a network namespace a server in it needs. */
export interface Network {
  readonly prefix: readonly string[];
  dig(...args: string[]): Promise<string>;
}

/** BIND 9, authoritative for the zones of `zones/`, by default on a free port of 127.0.0.1; signed.test is signed with a fresh key. */
export async function startNamed(options: NamedOptions = {}): Promise<Named> {
  const { host = '127.0.0.1', port = await freePort(), settings = '', within } = options;
  const folder = await mkdtemp(join(tmpdir(), 'signpost-named-'));
  await cp(ZONES, folder, { recursive: true });
  const dnskey = await signZone(folder);
  await writeFile(join(folder, 'named.conf'), configuration(folder, host, port, settings));
  let child = await launch(folder, { host, port }, within);
  return {
    host,
    port,
    dnskey,
    trustAnchor: anchorOf(dnskey),
    get pid() {
      return child.pid;
    },
    pause: () => child.pause(),
    resume: () => child.kill('SIGCONT'),
    async end() {
      child.kill('SIGKILL');
      await child.exit;
    },
    async restart() {
      child.kill('SIGKILL');
      await child.exit;
      child = await launch(folder, { host, port }, within);
    },
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(folder: string, server: Server, within?: Network): Promise<Child> {
  const [first, ...rest] = [
    ...(within?.prefix ?? []),
    program('named'),
    '-g',
    '-n',
    '1',
    '-c',
    join(folder, 'named.conf'),
  ];
  const child = new Child(first!, rest, { cwd: folder });
  const name = 'one.example.test';
  await child.waitUntil('answering', async () => {
    if (within) return (await within.dig(`@${server.host}`, '-p', `${server.port}`, name)).includes('NOERROR');
    return ask(server, { name, type: 'A', limitMs: 200 }).then(
      ({ rcode }) => rcode === 0,
      () => false,
    );
  });
  return child;
}

/** Signs with one key for all, valid for the hours of a test run; returns the key's record. */
async function signZone(folder: string): Promise<string> {
  const keygen = ['-q', '-a', 'ECDSAP256SHA256', '-f', 'KSK', 'signed.test'];
  const key = await run(program('dnssec-keygen'), keygen, { cwd: folder });
  const file = `${key.stdout.trim()}.key`;
  const signing = ['-z', '-P', '-S', '-o', 'signed.test', '-f', 'signed.test.signed', 'signed.test.zone'];
  const signed = await run(program('dnssec-signzone'), signing, { cwd: folder });
  if (signed.code !== 0) throw new Error(`Cannot sign the test zone: ${key.stderr}${signed.stderr}`);
  const lines = (await readFile(join(folder, file), 'utf8')).split('\n');
  return lines.find((line) => line.includes('DNSKEY'))!;
}

function anchorOf(dnskey: string): string {
  const [, , , flags, protocol, algorithm, ...key] = dnskey.split(/\s+/);
  return `trust-anchors { "signed.test." static-key ${flags} ${protocol} ${algorithm} "${key.join('')}"; };\n`;
}

function configuration(folder: string, host: string, port: number, settings: string): string {
  const zones = [
    ['.', 'root.zone'],
    ['example.test', 'example.test.zone'],
    ['signed.test', 'signed.test.signed'],
    ['2.0.192.in-addr.arpa', '2.0.192.in-addr.arpa.zone'],
  ];
  return `options {
  directory "${folder}";
  listen-on port ${port} { ${host}; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  minimal-responses no;
  max-udp-size 4096;
  edns-udp-size 4096;
  tcp-clients 2000;
  tcp-listen-queue 1024;
  notify no;
  max-records-per-type 0;
  max-types-per-name 0;
  check-names primary ignore;
  ${settings}
};
controls { };
statistics-channels { };
${zones.map(([zone, file]) => `zone "${zone}" { type primary; file "${file}"; };`).join('\n')}
`;
}
