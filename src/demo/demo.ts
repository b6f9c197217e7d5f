import { Agent } from '../agent/agent.ts';
import type { SocketAddress } from '../config/config.ts';
import { configFromFlags } from '../config/from-flags.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import type { Logger } from '../core/logger.ts';
import { ClusterDns } from './cluster-dns.ts';
import { type DemoCluster, readClusterFile } from './cluster-file.ts';
import { DnsServer } from './dns-server.ts';
import { examplesFor } from './examples.ts';
import { OutsideDns } from './outside-dns.ts';

export interface DemoOptions {
  readonly listen: readonly SocketAddress[];
  /** A file as `cluster.yaml`, which is used where none is given. */
  readonly cluster?: string | undefined;
  /** Undefined: off. */
  readonly admin: SocketAddress | undefined;
  /** Undefined: off. */
  readonly metrics: SocketAddress | undefined;
  readonly log: Logger;
  /** Takes a line for the person who started the demo. */
  readonly print: (line: string) => void;
}

export interface Demo {
  readonly addresses: Agent['addresses'];
  stop(): Promise<void>;
}

/**
 * The agent as `serve` runs it, between real sockets: clients on one side, a small cluster DNS and a small outside world on the other. All
 * of it is on loopback. Throws `ConfigError` for a bad cluster file or address, `StartError` where an address cannot be had.
 */
export async function startDemo({ listen, cluster: file, admin, metrics, log, print }: DemoOptions): Promise<Demo> {
  const cluster = readClusterFile(file);
  const outside = new OutsideDns(cluster);
  const servers = [await DnsServer.open(new ClusterDns(cluster, outside)), await DnsServer.open(outside)] as const;
  const closeServers = () => Promise.all(servers.map((server) => server.close()));
  try {
    const [clusterDns, outsideDns] = servers.map(({ address }) => formatSocketAddress(address));
    const { config } = configFromFlags(
      {
        listen: listen.map(formatSocketAddress),
        clusterDomain: cluster.domain,
        clusterDns: [clusterDns!],
        upstream: [outsideDns!],
        admin: admin === undefined ? 'off' : formatSocketAddress(admin),
        metrics: metrics === undefined ? 'off' : formatSocketAddress(metrics),
      },
      { env: {}, isTerminal: true, readFile: readNothing },
    );
    const agent = await Agent.start(config, { log });
    for (const line of welcome(cluster, agent.addresses)) print(line);
    return {
      addresses: agent.addresses,
      async stop() {
        await agent.stop({ lameduckMs: 0 });
        await closeServers();
      },
    };
  } catch (error) {
    await closeServers();
    throw error;
  }
}

function welcome(cluster: DemoCluster, { listen, admin, metrics }: Agent['addresses']): string[] {
  const examples = examplesFor(cluster, listen[0]!);
  const width = Math.max(...examples.map(({ command }) => command.length));
  const pages = [
    admin && `Status:   http://${formatSocketAddress(admin)}/`,
    metrics && `Metrics:  http://${formatSocketAddress(metrics)}/metrics`,
  ];
  return [
    `Signpost answers on ${listen.map(formatSocketAddress).join(', ')} for a small cluster of its own. Nothing leaves this machine.`,
    '',
    'Try, in another terminal:',
    ...examples.map(({ command, shows }) => `  ${command.padEnd(width)}  # ${shows}`),
    '',
    ...pages.filter((page) => page !== undefined),
    'Ctrl-C ends it.',
  ];
}

/** The demo depends on no file of the machine but the one that was named. */
function readNothing(path: string): never {
  throw new Error(`${path} is not read`);
}
