import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FLEETING, LASTING, WILDCARD } from '../names.ts';
import { type Certificate, makeCertificate } from './certificate.ts';
import { freePort, launch, type Running } from './server.ts';

/** BIND as the cluster DNS: authoritative for every name asked here, one worker thread. */
export interface Upstream extends Running {
  /** Queries that it has received so far, over UDP and TCP. */
  queries(): Promise<number>;
  /** The same server over TLS and HTTPS; undefined where no certificate could be made. */
  readonly encrypted: Encrypted | undefined;
}

export interface Encrypted {
  readonly tlsPort: number;
  /** Answers POST to `/dns-query`. */
  readonly httpsPort: number;
  readonly certificate: Certificate;
}

/** Starts BIND in a folder of its own with the names given, each with one address, and the wildcards of names.ts. */
export async function startNamed(
  program: string,
  core: number,
  folder: string,
  names: readonly string[],
): Promise<Upstream> {
  const port = await freePort();
  const statisticsPort = await freePort();
  mkdirSync(folder, { recursive: true });
  const certificate = makeCertificate(folder);
  const encrypted = certificate && { certificate, tlsPort: await freePort(), httpsPort: await freePort() };
  writeFileSync(join(folder, 'cluster.zone'), zone(names));
  writeFileSync(join(folder, 'lasting.zone'), lastingZone());
  writeFileSync(join(folder, 'named.conf'), configuration(folder, port, statisticsPort, encrypted));
  const running = launch(core, port, [program, '-f', '-n', '1', '-c', join(folder, 'named.conf')]);
  return { ...running, encrypted, queries: () => queriesReceived(statisticsPort) };
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
*.${WILDCARD}. A 10.96.0.11
*.${FLEETING}. 0 A 10.96.0.12
${records.join('\n')}
`;
}

function lastingZone(): string {
  return `$TTL 3600
${LASTING}. SOA ns.${LASTING}. hostmaster.${LASTING}. 1 7200 1800 86400 5
${LASTING}. NS ns.${LASTING}.
ns.${LASTING}. A 10.96.0.10
*.${LASTING}. A 10.96.0.13
`;
}

/**
 * What an answer costs BIND is not to be measured, so all that it need not do is off. tcp-clients: CoreDNS opens a connection for
 * each query in flight, and must not be refused.
 */
function configuration(folder: string, port: number, statisticsPort: number, encrypted: Encrypted | undefined): string {
  const { certificate, tlsPort, httpsPort } = encrypted ?? {};
  const blocks =
    certificate &&
    `tls bench { cert-file "${certificate.certFile}"; key-file "${certificate.keyFile}"; };
http bench { endpoints { "/dns-query"; }; listener-clients 0; streams-per-connection 0; };`;
  const listeners =
    encrypted &&
    `listen-on port ${tlsPort} tls bench { 127.0.0.1; };
    listen-on port ${httpsPort} tls bench http bench { 127.0.0.1; };`;
  return `${blocks ?? ''}
options {
    directory "${folder}";
    pid-file none;
    session-keyfile none;
    managed-keys-directory "${folder}";
    listen-on port ${port} { 127.0.0.1; };
    ${listeners ?? ''}
    listen-on-v6 { none; };
    recursion no;
    minimal-responses yes;
    rrset-order { order none; };
    answer-cookie no;
    dnssec-validation no;
    empty-zones-enable no;
    querylog no;
    tcp-clients 4096;
    notify no;
    zone-statistics none;
};
controls { };
statistics-channels { inet 127.0.0.1 port ${statisticsPort} allow { 127.0.0.1; }; };
logging { category default { null; }; category lame-servers { null; }; };
zone "cluster.local" { type primary; file "cluster.zone"; };
zone "${LASTING}" { type primary; file "lasting.zone"; };
`;
}
