import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVER_NAME } from './certificate.ts';
import type { Encrypted } from './named.ts';
import { freePort, launch, type Place, type Server } from './server.ts';

/**
 * CoreDNS as NodeLocal DNSCache runs it: the plugins and the cache of the cluster zone's block in its own Corefile (Kubernetes,
 * cluster/addons/dns/nodelocaldns), none left out and none added, on one core. 9984 entries are that file's number. `otherPort`: of a second upstream.
 */
export function coredns(program: string, entries = 9984, otherPort?: number): Server {
  return corednsForwarding(
    program,
    entries,
    ({ upstreamPort }) => `127.0.0.1:${upstreamPort} ${otherPort === undefined ? '' : `127.0.0.1:${otherPort} `}{
        force_tcp
    }`,
  );
}

/** The same, which asks its upstream over TLS. */
export function corednsOverTls(program: string, { tlsPort, certificate }: Encrypted): Server {
  const forward = `tls://127.0.0.1:${tlsPort} {
        tls ${certificate.certFile}
        tls_servername ${SERVER_NAME}
    }`;
  return corednsForwarding(program, 9984, () => forward);
}

function corednsForwarding(program: string, entries: number, forward: (place: Place) => string): Server {
  return {
    name: 'coredns',
    async start(place) {
      const { core, folder } = place;
      const port = await freePort();
      const file = join(folder, 'Corefile');
      writeFileSync(file, corefile(port, await freePort(), forward(place), entries));
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

function corefile(port: number, metricsPort: number, forward: string, entries: number): string {
  return `cluster.local:${port} {
    errors
    cache {
        success ${entries} 30
        denial 9984 5
    }
    reload
    loop
    bind 127.0.0.1
    forward . ${forward}
    prometheus 127.0.0.1:${metricsPort}
}
`;
}
