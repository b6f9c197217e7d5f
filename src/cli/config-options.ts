import type { Command } from 'commander';
import { DEFAULTS, LOG_FORMATS, LOG_LEVELS, NODE_NETWORK_MODES, POLICIES, SEARCH_MODES } from '../config/flags.ts';
import { CLUSTER_DNS_SERVICES } from '../config/service-names.ts';

/** For options that may be given more than once. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

/**
 * The options that make a configuration: their names are those of `Flags`, their values stay text, for `config/` reads them and says all
 * that is wrong at once.
 */
export function addConfigOptions(command: Command): Command {
  return command
    .option('--config <FILE>', 'YAML: all that flags say, and settings of zones; watched. A flag beats the file')
    .optionsGroup('Where it listens:')
    .option('--listen <IP[:PORT]>', `UDP and TCP; may be repeated (default ${DEFAULTS.listen})`, collect)
    .option('--metrics <IP:PORT|off>', `/metrics alone, for the network (default ${DEFAULTS.metrics})`)
    .option(
      '--admin <IP:PORT|off>',
      `status page, /health, /ready, /metrics, for the node itself (default ${DEFAULTS.admin})`,
    )
    .option('--probes <IP:PORT>', '/health and /ready alone, on a further address; may be repeated', collect)
    .option(
      '--node-network <MODE>',
      `what it sets up on the node: ${NODE_NETWORK_MODES.join(', ')} (default ${DEFAULTS.nodeNetwork})`,
    )
    .option('--interface <NAME>', `the link for the listen addresses (default ${DEFAULTS.interface})`)
    .optionsGroup('Whom it asks:')
    .option(
      '--cluster-dns <UPSTREAM>',
      'cluster DNS, over TCP unless said; endpoints: the pods of its Service; may be repeated (default: the address of --cluster-dns-service)',
      collect,
    )
    .option(
      '--cluster-dns-service <NAMESPACE/NAME>',
      `its Service: $KUBE_DNS_SERVICE_HOST and the like, or the API, say where it is (default ${CLUSTER_DNS_SERVICES.names.map((name) => `${CLUSTER_DNS_SERVICES.namespace}/${name}`).join(', then ')})`,
    )
    .option('--cluster-domain <NAME>', `zone of the cluster (default ${DEFAULTS.clusterDomain})`)
    .option(
      '--upstream <UPSTREAM>',
      'everything else; may be repeated (default: the name servers of --resolv-conf)',
      collect,
    )
    .option(
      '--resolv-conf <FILE>',
      `its name servers are the upstreams, its suffixes the end of pods' search lists; watched (default ${DEFAULTS.resolvConf})`,
    )
    .option('--route <ZONE=UPSTREAM[,UPSTREAM]>', 'a zone with upstreams of its own; may be repeated', collect)
    .option('--policy <NAME>', `which upstream comes first: ${POLICIES.join(', ')} (default ${DEFAULTS.policy})`)
    .option('--corefile <FILE>', 'a Corefile of NodeLocal DNSCache or CoreDNS, in place of --config; watched')
    .option('--kube-dns-config <DIR>', 'the ConfigMap kube-dns as a folder: stubDomains, upstreamNameservers; watched')
    .optionsGroup('What it keeps:')
    .option('--cache-size <BYTES>', `memory for answers, all zones together (default ${DEFAULTS.cacheSize})`)
    .option('--search <MODE>', `names that search paths make: ${SEARCH_MODES.join(', ')} (default ${DEFAULTS.search})`)
    .option('--lease', 'cluster answers live until the Kubernetes API says that they changed, ten minutes at most')
    .option('--node-names', "names of the cluster's nodes are answered with their addresses")
    .optionsGroup('How it runs:')
    .option('--state <DIR>', 'hand-over socket and snapshot of the cache (default: neither)')
    .option('--node-name <NAME>', 'the Kubernetes node that this is (default: $NODE_NAME)')
    .option(
      '--kubernetes <off|auto|FILE>',
      `whether the Kubernetes API is asked; FILE: a kubeconfig (default ${DEFAULTS.kubernetes})`,
    )
    .option(
      '--lameduck <DURATION>',
      `how long it goes on answering after SIGTERM, not ready (default ${DEFAULTS.lameduck})`,
    )
    .option('--log-level <LEVEL>', `${LOG_LEVELS.join(', ')} (default ${DEFAULTS.logLevel})`)
    .option('--log-format <FORMAT>', `${LOG_FORMATS.join(', ')} (default: text on a terminal, else json)`)
    .option('--log-sample <N>', 'log one query in N; 0: none (default 0)')
    .optionsGroup('Options:');
}

/** How values are written, for the end of a help text. */
export const VALUES_HELP = `
UPSTREAM is IP[:PORT], or udp://, tcp:// or udp+tcp:// (UDP, and TCP where an answer is truncated) before it; encrypted:
tls://IP[:PORT]#server-name, https://server-name/dns-query@IP.
IPv6 addresses with a port stand in brackets: [fd00::10]:53. Durations: 250ms, 5s, 1h. Sizes: 32MiB.`;
