import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, launch, type Place, type Running } from '../servers/server.ts';

export interface NodeLocalUpstreams {
  readonly clusterDns: number;
  readonly outside: number;
}

/** CoreDNS as NodeLocal DNSCache runs it, with all blocks of its own Corefile (Kubernetes, cluster/addons/dns/nodelocaldns): ports of 127.0.0.1 are asked. */
export async function startNodeLocal(program: string, place: Place, upstreams: NodeLocalUpstreams): Promise<Running> {
  const port = await freePort();
  const file = join(place.folder, 'Corefile');
  writeFileSync(file, corefile(port, upstreams));
  return launch(place.core, port, [program, '-conf', file], { GOMAXPROCS: '1' });
}

function corefile(port: number, { clusterDns, outside }: NodeLocalUpstreams): string {
  const cluster = `forward . 127.0.0.1:${clusterDns} {
        force_tcp
    }`;
  return `cluster.local:${port} {
    errors
    cache {
        success 9984 30
        denial 9984 5
    }
    bind 127.0.0.1
    ${cluster}
}
in-addr.arpa:${port} ip6.arpa:${port} {
    errors
    cache 30
    bind 127.0.0.1
    ${cluster}
}
.:${port} {
    errors
    cache 30
    bind 127.0.0.1
    forward . 127.0.0.1:${outside}
}
`;
}
