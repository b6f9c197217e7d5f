import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSocketAddress } from '../../config/socket-address.ts';
import { type Diagnosis, note, ok, warning } from '../diagnosis.ts';
import { HostFiles } from '../host-files.ts';
import type { Patient } from '../patient.ts';
import type { Check } from './check.ts';

/** Where container runtimes keep the resolv.conf of each pod: containerd's two, K3s's, CRI-O's two, Docker's. */
const FOLDERS: readonly (readonly [folder: string, file: string])[] = [
  ['/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes', 'resolv.conf'],
  ['/run/containerd/io.containerd.grpc.v1.cri/sandboxes', 'resolv.conf'],
  ['/var/lib/rancher/k3s/agent/containerd/io.containerd.grpc.v1.cri/sandboxes', 'resolv.conf'],
  ['/run/containers/storage/overlay-containers', 'userdata/resolv.conf'],
  ['/var/lib/containers/storage/overlay-containers', 'userdata/resolv.conf'],
  ['/var/lib/docker/containers', 'resolv.conf'],
];

/** Whom the pods of this node ask, by their own resolv.conf. */
export const podsCheck: Check = {
  name: 'pods',
  async look({ files, listen }: Patient) {
    const kept = await keptByRuntimes(files);
    const texts = kept.length > 0 ? kept : await seenInProcesses();
    if (texts.length === 0) {
      const remedy =
        'to see them, run it as kubectl debug node/NODE --profile sysadmin --image IMAGE -- signpost doctor does, which has the node at /host';
      return [note('pods-unseen', "the pods' resolv.conf cannot be seen from here", remedy)];
    }
    return judge(
      texts.map(serversOf),
      listen.map(({ host }) => host),
      listen.map(formatSocketAddress).join(', '),
    );
  },
};

function judge(pods: readonly (readonly string[])[], ours: readonly string[], listen: string): Diagnosis[] {
  // A pod that asks no server of the cluster's has a DNS policy of its own: it is none of ours.
  const counts = new Map<string, number>();
  for (const servers of pods) counts.set(servers.join(' '), (counts.get(servers.join(' ')) ?? 0) + 1);
  const isOurs = (servers: string): boolean => servers.split(' ').some((host) => ours.includes(host));
  const users = pods.filter((servers) => isOurs(servers.join(' '))).length;
  const mixed = pods.filter((servers) => isOurs(servers.join(' ')) && servers.length > 1).length;
  const others = [...counts]
    .filter(([servers]) => !isOurs(servers))
    .map(([servers, count]) => `${count} ask ${servers || 'nobody'}`);
  const rest = others.length === 0 ? '' : `; ${others.sort().join(', ')}`;
  const findings: Diagnosis[] = [];
  if (users === 0) {
    const remedy = "kubelet gives a pod its servers when it starts: see kubelet's finding, then restart the pods";
    findings.push(
      warning('pods-elsewhere', `of ${pods.length} resolv.conf none names the agent (${listen})${rest}`, remedy),
    );
  } else {
    findings.push(ok('pods-here', `${users} of ${pods.length} resolv.conf name the agent${rest}`));
  }
  if (mixed > 0) {
    const message = `${mixed} name another server beside the agent: musl asks both at once and takes the first answer, so it is no fall-back`;
    findings.push(
      warning(
        'pods-mixed',
        message,
        'give pods one server; the kernel leads queries to the cluster DNS where the agent is gone',
      ),
    );
  }
  return findings;
}

function serversOf(text: string): string[] {
  return [...text.matchAll(/^nameserver[ \t]+(\S+)/gm)].map(([, host]) => host!);
}

async function keptByRuntimes(files: HostFiles): Promise<string[]> {
  const texts: string[] = [];
  for (const [folder, file] of FOLDERS) {
    for (const name of await files.list(folder)) {
      const text = await files.read(`${folder}/${name}/${file}`);
      if (text !== undefined) texts.push(text);
    }
  }
  return texts;
}

/** Where other containers' processes are seen (hostPID): one of each network, for that is a pod. Our own network is the node's. */
async function seenInProcesses(): Promise<string[]> {
  const seen = new Map<string, string>();
  const own = await readlink('/proc/self/ns/net').catch(() => '');
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const network = await readlink(`/proc/${pid}/ns/net`).catch(() => own);
    if (network === own || seen.has(network)) continue;
    const text = await new HostFiles(join('/proc', pid, 'root')).read('/etc/resolv.conf');
    if (text !== undefined) seen.set(network, text);
  }
  return [...seen.values()];
}
