import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../client/ask.ts';
import type { ServerIdentity } from './certificate-authority.ts';
import { Child } from './child.ts';
import { freePort } from './free-port.ts';
import { program } from './programs.ts';

/** A server that answers `*.wild.test` with 192.0.2.30 over TCP, TLS and HTTPS. */
export interface EncryptedServer {
  readonly host: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly httpsPort: number;
  /** Ends the process hard and starts it again on the same ports. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Ports {
  readonly port: number;
  readonly tlsPort: number;
  readonly httpsPort: number;
}

type Launch = (folder: string, ports: Ports) => Child;

/** BIND 9.18 serves both. */
export function startEncryptedNamed(identity: ServerIdentity): Promise<EncryptedServer> {
  return start(identity, bind, (folder) => {
    return new Child(program('named'), ['-g', '-n', '1', '-c', join(folder, 'conf')], { cwd: folder });
  });
}

/** Unbound, with nghttp2 as Debian builds it. */
export function startEncryptedUnbound(identity: ServerIdentity): Promise<EncryptedServer> {
  return start(identity, unbound, (folder) => {
    return new Child(program('unbound'), ['-d', '-p', '-c', join(folder, 'conf')], { cwd: folder });
  });
}

async function start(
  { cert, key }: ServerIdentity,
  configuration: (folder: string, ports: Ports) => string,
  launch: Launch,
): Promise<EncryptedServer> {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-encrypted-'));
  const host = '127.0.0.1';
  const ports = { port: await freePort(), tlsPort: await freePort(), httpsPort: await freePort() };
  const zone = '@ 60 SOA ns hostmaster 1 3600 600 86400 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n* 60 A 192.0.2.30\n';
  const files = { cert, key, zone, conf: configuration(folder, ports) };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const launchAndWait = async (): Promise<Child> => {
    const child = launch(folder, ports);
    const question = { name: 'first.wild.test', type: 'A', limitMs: 200 };
    await child.waitUntil('answering', () =>
      ask({ host, port: ports.port }, question).then(
        ({ rcode }) => rcode === 0,
        () => false,
      ),
    );
    return child;
  };
  let child = await launchAndWait();
  return {
    host,
    ...ports,
    async restart() {
      child.kill('SIGKILL');
      await child.exit;
      child = await launchAndWait();
    },
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function bind(folder: string, { port, tlsPort, httpsPort }: Ports): string {
  return `tls test { cert-file "${folder}/cert"; key-file "${folder}/key"; };
http test { endpoints { "/dns-query"; }; };
options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on port ${tlsPort} tls test { 127.0.0.1; };
  listen-on port ${httpsPort} tls test http test { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  notify no;
};
controls { };
statistics-channels { };
zone "wild.test" { type primary; file "zone"; };
`;
}

function unbound(folder: string, { port, tlsPort, httpsPort }: Ports): string {
  return `server:
  interface: 127.0.0.1@${port}
  interface: 127.0.0.1@${tlsPort}
  interface: 127.0.0.1@${httpsPort}
  tls-port: ${tlsPort}
  https-port: ${httpsPort}
  tls-service-key: "${folder}/key"
  tls-service-pem: "${folder}/cert"
  edns-tcp-keepalive: yes
  directory: "${folder}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  num-threads: 1
  do-ip6: no
  local-zone: "wild.test." redirect
  local-data: "wild.test. 60 A 192.0.2.30"
`;
}
