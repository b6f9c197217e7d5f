import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../../servers/child.ts';
import { program } from '../../servers/programs.ts';
import type { Namespace } from '../namespace.ts';
import { DNS_PODS } from './addresses.ts';

/** Short lives, so that a cache in front shows what it does. `version.bind` tells who answered. */
const COREFILE = (hosts: readonly string[]) => `
.:53 {
  bind ${hosts.join(' ')}
  chaos cluster-dns
  template IN A {
    answer "{{ .Name }} 30 IN A 192.0.2.53"
  }
  template IN AAAA {
    answer "{{ .Name }} 30 IN AAAA 2001:db8::53"
  }
  template IN ANY {
    rcode NOERROR
    authority "{{ .Name }} 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 30"
  }
}
`;

export interface ClusterDns {
  readonly child: Child;
  stop(): Promise<void>;
}

/** CoreDNS on the addresses of the cluster DNS's pods: every name has one address of each family. */
export async function startClusterDns(within: Namespace): Promise<ClusterDns> {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-cluster-dns-'));
  const file = join(folder, 'Corefile');
  await writeFile(file, COREFILE([...DNS_PODS[4], ...DNS_PODS[6]]));
  const [first, ...rest] = within.prefix;
  const child = new Child(first!, [...rest, program('coredns'), '-conf', file]);
  await child.waitUntil('listening', () => child.output.includes('CoreDNS-'));
  return {
    child,
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
