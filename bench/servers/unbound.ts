import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVER_NAME } from './certificate.ts';
import type { Encrypted } from './named.ts';
import { freePort, launch, type Place, type Server } from './server.ts';

/**
 * Unbound with one thread, forwarding, without validation (as the others), with caches that hold every name asked here,
 * a receive buffer as large as ours and room for the TCP clients of the bench.
 */
export function unbound(program: string): Server {
  return unboundForwarding(program, ({ upstreamPort }) => `forward-addr: 127.0.0.1@${upstreamPort}`);
}

/** The same, which asks its upstream over TLS. */
export function unboundOverTls(program: string, { tlsPort, certificate }: Encrypted): Server {
  const forward = `forward-tls-upstream: yes
    forward-addr: 127.0.0.1@${tlsPort}#${SERVER_NAME}`;
  return unboundForwarding(program, () => forward, `tls-cert-bundle: "${certificate.certFile}"`);
}

function unboundForwarding(program: string, forward: (place: Place) => string, settings = ''): Server {
  return {
    name: 'unbound',
    async start(place) {
      const { core, folder } = place;
      const port = await freePort();
      const file = join(folder, 'unbound.conf');
      writeFileSync(file, configuration(port, folder, forward(place), settings));
      return launch(core, port, [program, '-d', '-c', file]);
    },
  };
}

function configuration(port: number, folder: string, forward: string, settings: string): string {
  return `server:
    interface: 127.0.0.1@${port}
    num-threads: 1
    module-config: "iterator"
    so-rcvbuf: 4m
    incoming-num-tcp: 200
    msg-cache-size: 32m
    rrset-cache-size: 64m
    do-not-query-localhost: no
    username: ""
    chroot: ""
    directory: "${folder}"
    pidfile: ""
    use-syslog: no
    verbosity: 0
    ${settings}
forward-zone:
    name: "."
    ${forward}
remote-control:
    control-enable: no
`;
}
