import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, type Server } from '../client/ask.ts';
import { Child } from './child.ts';
import { freePort } from './free-port.ts';
import { program } from './programs.ts';

export interface DynamicZone extends Server {
  /** What BIND has logged. */
  log(): string;
  stop(): Promise<void>;
}

export interface DynamicZoneOptions {
  readonly host?: string;
  /** Without the trailing dot. All have the same records and statements; the server's own name is `ns` in the first. */
  readonly zones: readonly [string, ...string[]];
  /** Records in the form of a zone file, owners relative to the zone. SOA, NS and the server's address are there already. */
  readonly records: readonly string[];
  /** Statements of a zone, such as `update-policy { ... };`. */
  readonly statements: readonly string[];
  /** Statements of `options`. */
  readonly options?: readonly string[];
  /** Statements outside of all others, such as a key. */
  readonly keys?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** BIND 9 as primary of zones that may be changed (RFC 2136), on a free port. */
export async function startDynamicZone({ host = '127.0.0.1', ...rest }: DynamicZoneOptions): Promise<DynamicZone> {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-dynamic-'));
  const server = { host, port: await freePort() };
  for (const zone of rest.zones) await writeFile(join(folder, zone), zoneFile(host, rest));
  await writeFile(join(folder, 'named.conf'), configuration(folder, server, rest));
  const args = ['-g', '-n', '1', '-c', join(folder, 'named.conf')];
  const child = new Child(program('named'), args, { cwd: folder, ...(rest.env && { env: rest.env }) });
  await child.waitUntil('answering', () =>
    ask(server, { name: rest.zones[0], type: 'SOA', limitMs: 200 }).then(
      ({ rcode }) => rcode === 0,
      () => false,
    ),
  );
  return {
    ...server,
    log: () => child.output,
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function zoneFile(host: string, { zones: [first], records }: DynamicZoneOptions): string {
  return `$TTL 300
@ SOA ns.${first}. hostmaster 1 3600 600 86400 60
@ NS ns.${first}.
ns A ${host}
${records.join('\n')}
`;
}

function configuration(folder: string, { host, port }: Server, named: DynamicZoneOptions): string {
  const { zones, statements, options = [], keys = [] } = named;
  return `options {
  directory "${folder}";
  listen-on port ${port} { ${host}; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
  notify no;
  ${options.join('\n  ')}
};
controls { };
${keys.join('\n')}
${zones.map((name) => `zone "${name}" { type primary; file "${name}"; ${statements.join('\n  ')} };`).join('\n')}
`;
}
