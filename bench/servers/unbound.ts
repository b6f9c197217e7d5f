import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, launch, type Server } from './server.ts';

/**
 * Unbound with one thread, forwarding, without validation (as the others), with caches that hold every name asked here,
 * a receive buffer as large as ours and room for the TCP clients of the bench.
 */
export function unbound(program: string): Server {
  return {
    name: 'unbound',
    async start({ core, folder, upstreamPort }) {
      const port = await freePort();
      const file = join(folder, 'unbound.conf');
      writeFileSync(file, configuration(port, folder, upstreamPort));
      return launch(core, port, [program, '-d', '-c', file]);
    },
  };
}

function configuration(port: number, folder: string, upstreamPort: number): string {
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
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@${upstreamPort}
remote-control:
    control-enable: no
`;
}
