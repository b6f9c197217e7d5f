import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, launch, type Server } from './server.ts';

/**
 * CoreDNS as NodeLocal DNSCache runs it: the plugins and the cache of the cluster zone's block in its own Corefile (Kubernetes,
 * cluster/addons/dns/nodelocaldns), none left out and none added, on one core. 9984 entries are that file's number.
 */
export function coredns(program: string, entries = 9984): Server {
  return {
    name: 'coredns',
    async start({ core, folder, upstreamPort }) {
      const port = await freePort();
      const file = join(folder, 'Corefile');
      writeFileSync(file, corefile(port, await freePort(), upstreamPort, entries));
      return launch(core, port, [program, '-conf', file], { GOMAXPROCS: '1' });
    },
  };
}

/** Where the binary is: named by the flag, or in the test bed's folder; undefined where there is none. */
export function findCoredns(flag: string | undefined, root: string): string | undefined {
  if (flag !== undefined) return flag;
  const { SIGNPOST_TESTBED = join(root, '.cache', 'testbed') } = process.env;
  const program = join(SIGNPOST_TESTBED, 'bin', 'coredns');
  return existsSync(program) ? program : undefined;
}

function corefile(port: number, metricsPort: number, upstreamPort: number, entries: number): string {
  return `cluster.local:${port} {
    errors
    cache {
        success ${entries} 30
        denial 9984 5
    }
    reload
    loop
    bind 127.0.0.1
    forward . 127.0.0.1:${upstreamPort} {
        force_tcp
    }
    prometheus 127.0.0.1:${metricsPort}
}
`;
}
