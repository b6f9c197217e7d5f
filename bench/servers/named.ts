import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, launch, type Running } from './server.ts';

/** BIND as the cluster DNS: authoritative for every name asked here, one worker thread. */
export interface Upstream extends Running {
  /** Queries that it has received so far, over UDP and TCP. */
  queries(): Promise<number>;
}

/** Starts BIND in a folder of its own with the names given, each with one address, and a wildcard below `miss.svc.cluster.local`. */
export async function startNamed(
  program: string,
  core: number,
  folder: string,
  names: readonly string[],
): Promise<Upstream> {
  const port = await freePort();
  const statisticsPort = await freePort();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cluster.zone'), zone(names));
  writeFileSync(join(folder, 'named.conf'), configuration(folder, port, statisticsPort));
  const running = launch(core, port, [program, '-f', '-n', '1', '-c', join(folder, 'named.conf')]);
  return { ...running, queries: () => queriesReceived(statisticsPort) };
}

async function queriesReceived(statisticsPort: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${statisticsPort}/json/v1/server`);
  const statistics = (await response.json()) as { opcodes: { QUERY: number } };
  return statistics.opcodes.QUERY;
}

function zone(names: readonly string[]): string {
  const records = names.map(
    (name, index) => `${name}. A 10.${96 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
  );
  return `$TTL 3600
cluster.local. SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5
cluster.local. NS ns.dns.cluster.local.
ns.dns.cluster.local. A 10.96.0.10
*.miss.svc.cluster.local. A 10.96.0.11
${records.join('\n')}
`;
}

/** tcp-clients: CoreDNS opens a connection for each query in flight, and must not be refused. */
function configuration(folder: string, port: number, statisticsPort: number): string {
  return `options {
    directory "${folder}";
    pid-file none;
    session-keyfile none;
    managed-keys-directory "${folder}";
    listen-on port ${port} { 127.0.0.1; };
    listen-on-v6 { none; };
    recursion no;
    minimal-responses yes;
    tcp-clients 4096;
    notify no;
    zone-statistics none;
};
controls { };
statistics-channels { inet 127.0.0.1 port ${statisticsPort} allow { 127.0.0.1; }; };
logging { category default { null; }; category lame-servers { null; }; };
zone "cluster.local" { type primary; file "cluster.zone"; };
`;
}
