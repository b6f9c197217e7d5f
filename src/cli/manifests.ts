import type { Command } from 'commander';
import { ConfigErrors } from '../config/config-errors.ts';
import { DEFAULTS, NODE_NETWORK_MODES, SEARCH_MODES } from '../config/flags.ts';
import { packageVersion } from '../core/version.ts';
import { FAMILY_CHOICES, MANIFEST_DEFAULTS, type ManifestFlags, PROXIES } from '../manifests/manifest-flags.ts';
import { collect, VALUES_HELP } from './config-options.ts';
import { EXIT_USAGE } from './exit-code.ts';
import { processSurroundings } from './surroundings.ts';

type Flags = ManifestFlags & { readonly json?: boolean };

/** `signpost manifests`. */
export function defineManifests(command: Command): void {
  command
    .summary('print the Kubernetes manifests for a cluster')
    .description(
      'Prints what a cluster needs to run the agent on its nodes: ServiceAccount, roles, the Service kube-dns-upstream, ConfigMap and\n' +
        'DaemonSet, as YAML with comments. It asks no cluster and changes nothing.',
    )
    .optionsGroup('The cluster:')
    .option(
      '--proxy <NAME>',
      `who leads packets for Services to pods: ${PROXIES.join(', ')} (default ${MANIFEST_DEFAULTS.proxy})`,
    )
    .option(
      '--service-ip <IP>',
      'address of the Service kube-dns, to be answered on the node, so that pods need no change; may be repeated',
      collect,
    )
    .option(
      '--families <FAMILIES>',
      `${FAMILY_CHOICES.join(', ')} (default: those of --listen and --service-ip, else ${MANIFEST_DEFAULTS.families})`,
    )
    .option(
      '--cluster-dns-selector <LABEL>',
      `label of the cluster DNS's pods, for the Service kube-dns-upstream (default ${MANIFEST_DEFAULTS.clusterDnsSelector})`,
    )
    .option('--talos', `Talos Linux: outside names are asked of its own resolver, ${MANIFEST_DEFAULTS.talosResolver}`)
    .option('--monitoring', 'a ServiceMonitor and alerts for the Prometheus Operator')
    .optionsGroup('Where it runs:')
    .option('--namespace <NAME>', `(default ${MANIFEST_DEFAULTS.namespace})`)
    .option('--image <IMAGE>', `as your registry names it (default signpost:${packageVersion()})`)
    .option('--nodes <KEY=VALUE>', 'only nodes with this label (default: all Linux nodes)')
    .option('--canary <KEY=VALUE>', 'nodes with this label get a DaemonSet of their own, to try a version on')
    .option('--canary-image <IMAGE>', 'what those nodes run (default: the same as the others)')
    .option('--max-surge <N|N%>', `nodes that are updated at a time (default ${MANIFEST_DEFAULTS.maxSurge})`)
    .option('--iptables-legacy', 'nodes use iptables-legacy, which needs the capability NET_RAW')
    .option('--selinux-type <TYPE>', 'for nodes that enforce SELinux, such as spc_t')
    .optionsGroup('As for signpost serve:')
    .option(
      '--listen <IP[:PORT]>',
      `address for pods, the same on every node; may be repeated (default ${MANIFEST_DEFAULTS.listen4}; IPv6: ${MANIFEST_DEFAULTS.listen6})`,
      collect,
    )
    .option(
      '--cluster-dns <UPSTREAM>',
      'cluster DNS, in place of the Service kube-dns-upstream; may be repeated',
      collect,
    )
    .option('--cluster-dns-service <NS/NAME>', 'the Service of the cluster DNS, in place of kube-dns-upstream')
    .option('--cluster-domain <NAME>', `zone of the cluster (default ${DEFAULTS.clusterDomain})`)
    .option('--upstream <UPSTREAM>', 'everything else; may be repeated (default: what --resolv-conf says)', collect)
    .option(
      '--resolv-conf <FILE>',
      "the node's, whose folder is mounted (default: the copy that the pod gets; systemd: /run/systemd/resolve/resolv.conf)",
    )
    .option('--cache-size <BYTES>', `memory for answers (default ${DEFAULTS.cacheSize}); the limit of the pod follows`)
    .option(
      '--node-network <MODE>',
      `what it sets up on the node: ${NODE_NETWORK_MODES.join(', ')} (default ${MANIFEST_DEFAULTS.nodeNetwork})`,
    )
    .option('--state <DIR>', `folder on the node for hand-over and snapshot (default ${MANIFEST_DEFAULTS.state})`)
    .option('--kubernetes <off|auto>', `whether it asks the Kubernetes API (default ${DEFAULTS.kubernetes})`)
    .option('--search <MODE>', `names that search paths make: ${SEARCH_MODES.join(', ')} (default ${DEFAULTS.search})`)
    .option('--lease', 'cluster answers live until the Kubernetes API says that they changed, ten minutes at most')
    .option('--node-names', "names of the cluster's nodes are answered with their addresses")
    .option('--config <FILE>', 'a configuration file, which becomes the ConfigMap. Flags beat it')
    .optionsGroup('Options:')
    .option('--teardown', 'in place of all that: a DaemonSet that takes what is left out of the network of every node')
    .option('--json', 'print JSON: one List')
    .addHelpText('after', `${VALUES_HELP}\n${EXAMPLES}`)
    .action((flags: Flags) => printManifests(flags));
}

const EXAMPLES = `
Examples:
  signpost manifests --service-ip 10.96.0.10 --image registry.example/signpost:0.1.0 | kubectl apply -f -
  signpost manifests --proxy ipvs --nodes dns=signpost        # then clusterDNS: [169.254.20.10] for kubelet on these nodes
  signpost manifests --proxy cilium --monitoring
docs/manifests.md tells what each kind of cluster needs, and the way back.`;

async function printManifests({ json, ...flags }: Flags): Promise<void> {
  const [{ planManifests }, { renderManifests }] = await Promise.all([
    import('../manifests/manifest-plan.ts'),
    import('../manifests/manifests.ts'),
  ]);
  try {
    const manifests = renderManifests(planManifests(flags, processSurroundings()));
    if (json === true) return printJson({ apiVersion: 'v1', kind: 'List', items: manifests });
    process.stdout.write(manifests.map((manifest) => `---\n${manifest}`).join(''));
  } catch (error) {
    if (json !== true || !(error instanceof ConfigErrors)) throw error;
    printJson({ errors: error.errors.map(({ code, message }) => ({ code, message })) });
    process.exitCode = EXIT_USAGE;
  }
}

function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
