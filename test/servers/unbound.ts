import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, type Server } from '../client/ask.ts';
import { Child } from './child.ts';
import { freePort } from './free-port.ts';
import type { Named } from './named.ts';
import { program } from './programs.ts';

export interface Unbound extends Server {
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** Unbound, recursive, forwarding everything to `named` and validating signed.test, on a free port of 127.0.0.1. */
export async function startUnbound(named: Named): Promise<Unbound> {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-unbound-'));
  const server = { host: '127.0.0.1', port: await freePort() };
  await writeFile(join(folder, 'unbound.conf'), configuration(folder, server, named));
  const child = new Child(program('unbound'), ['-d', '-p', '-c', join(folder, 'unbound.conf')], { cwd: folder });
  const question = { name: 'one.example.test', type: 'A', limitMs: 500 };
  await child.waitUntil('answering', () =>
    ask(server, question).then(
      (reply) => reply.rcode === 0,
      () => false,
    ),
  );
  return {
    ...server,
    kill: (signal) => child.kill(signal),
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(folder: string, server: Server, named: Named): string {
  return `server:
  interface: ${server.host}@${server.port}
  directory: "${folder}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  num-threads: 1
  do-ip6: no
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor: "${named.dnskey.replace(/"/g, '\\"')}"
  local-zone: "test." nodefault
  local-zone: "invalid." nodefault
  local-zone: "2.0.192.in-addr.arpa." nodefault
  minimal-responses: no
  rrset-roundrobin: no
  qname-minimisation: no
  edns-buffer-size: 1232
forward-zone:
  name: "."
  forward-addr: ${named.host}@${named.port}
`;
}
