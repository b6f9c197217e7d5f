import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { canonicalHost, formatSocketAddress } from '../../config/socket-address.ts';
import { type Diagnosis, note, ok, warning } from '../diagnosis.ts';
import type { HostFiles } from '../host-files.ts';
import type { Patient } from '../patient.ts';
import type { Check } from './check.ts';

/** Where distributions keep the KubeletConfiguration: kubeadm, EKS's two, GKE, AKS and kops, MicroK8s. */
const FILES: readonly string[] = [
  '/var/lib/kubelet/config.yaml',
  '/etc/kubernetes/kubelet/config.json',
  '/etc/kubernetes/kubelet/kubelet-config.json',
  join('/home', 'kubernetes/kubelet-config.yaml'),
  '/etc/default/kubeletconfig.json',
  '/var/lib/kubelet/kubelet.conf',
];

/** Folders of pieces that are laid over it, in the order of their names: `--config-dir`, and K3s's. */
const FOLDERS: readonly string[] = [
  '/etc/kubernetes/kubelet/config.json.d',
  '/etc/kubernetes/kubelet.conf.d',
  '/var/lib/rancher/k3s/agent/etc/kubelet.conf.d',
  '/var/lib/rancher/rke2/agent/etc/kubelet.conf.d',
];

interface Source {
  readonly origin: string;
  readonly servers: readonly string[];
}

/** Which server kubelet gives to new pods: `--cluster-dns` of its command line, else `clusterDNS` of its files. */
export const kubeletCheck: Check = {
  name: 'kubelet',
  async look({ files, listen }: Patient) {
    const source = (await fromCommandLine()) ?? (await fromFiles(files));
    if (source === undefined) {
      const remedy = 'look on the node: grep -A2 clusterDNS /var/lib/kubelet/config.yaml';
      return [note('kubelet-unseen', "kubelet's configuration cannot be seen from here", remedy)];
    }
    return judge(
      source,
      listen.map(({ host }) => host),
      listen.map(formatSocketAddress).join(', '),
    );
  },
};

function judge({ origin, servers }: Source, ours: readonly string[], listen: string): Diagnosis[] {
  const given = servers.join(', ');
  const foreign = servers.filter((host) => !ours.includes(host));
  if (foreign.length === servers.length) {
    const remedy = `set clusterDNS: [${ours[0]}] there and restart kubelet, or let the agent listen on ${servers[0]} as well (--listen); pods get it when they start`;
    return [
      warning(
        'kubelet-elsewhere',
        `new pods are given ${given} (${origin}), which the agent does not listen on (${listen})`,
        remedy,
      ),
    ];
  }
  if (foreign.length > 0) {
    const remedy = "give one address of each family, all of them the agent's";
    return [
      warning(
        'kubelet-mixed',
        `new pods are given ${given} (${origin}), of which ${foreign.join(', ')} is not the agent`,
        remedy,
      ),
    ];
  }
  return [ok('kubelet-here', `new pods are given ${given} (${origin})`)];
}

async function fromCommandLine(): Promise<Source | undefined> {
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (!/(?:^|\/)(?:kubelet|hyperkube)$/.test(words[0] ?? '')) continue;
    const servers = words.flatMap((word, at) => {
      const [, value] = /^--cluster-dns=(.*)$/.exec(word) ?? [
        undefined,
        word === '--cluster-dns' ? words[at + 1] : undefined,
      ];
      return value === undefined ? [] : hostsOf(value.split(','));
    });
    if (servers.length > 0) return { origin: "kubelet's --cluster-dns", servers };
  }
  return undefined;
}

/** The last file that names it decides. */
async function fromFiles(files: HostFiles): Promise<Source | undefined> {
  const pieces = await Promise.all(
    FOLDERS.map(async (folder) => (await files.list(folder)).map((name) => `${folder}/${name}`)),
  );
  let source: Source | undefined;
  for (const path of [...FILES, ...pieces.flat()]) {
    const text = await files.read(path);
    const servers = text === undefined ? [] : clusterDnsOf(text);
    if (servers.length > 0) source = { origin: path, servers };
  }
  return source;
}

function clusterDnsOf(text: string): string[] {
  try {
    const list = (parse(text) as { clusterDNS?: unknown } | null)?.clusterDNS;
    return Array.isArray(list) ? hostsOf(list.map(String)) : [];
  } catch {
    return [];
  }
}

function hostsOf(texts: readonly string[]): string[] {
  return texts.map((text) => canonicalHost(text.trim()) ?? text.trim());
}
