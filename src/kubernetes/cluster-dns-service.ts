import type { ServiceNames, SocketAddress } from '../config/config.ts';
import { canonicalHost } from '../config/socket-address.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { Service } from './api-objects.ts';

/** A Service of the cluster DNS, with an address of each of its families. */
export interface ClusterDnsService {
  /** `kube-system/kube-dns` */
  readonly name: string;
  readonly addresses: readonly SocketAddress[];
}

const DNS_PORT = 53;

/** Those that there are, in the order of their names. Headless ones have no address to go to and are left out. Rejects with `ApiError`. */
export async function readClusterDnsServices(
  client: ApiClient,
  { namespace, names }: ServiceNames,
): Promise<readonly ClusterDnsService[]> {
  const services = await Promise.all(names.map((name) => readService(client, namespace, name)));
  return services.filter((service) => service !== undefined);
}

async function readService(client: ApiClient, namespace: string, name: string): Promise<ClusterDnsService | undefined> {
  const path = `/api/v1/namespaces/${namespace}/services/${name}`;
  try {
    const service = await client.get<Service>(`get the Service ${namespace}/${name}`, path);
    const addresses = addressesOf(service);
    return addresses.length === 0 ? undefined : { name: `${namespace}/${name}`, addresses };
  } catch (error) {
    if (error instanceof ApiError && error.trouble === 'missing') return undefined;
    throw error;
  }
}

function addressesOf({ spec: { clusterIP, clusterIPs, ports = [] } }: Service): SocketAddress[] {
  const hosts = clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP]);
  const port = (ports.find(({ name }) => name === 'dns-tcp') ?? ports.find(({ name }) => name === 'dns'))?.port;
  // `None` is what a headless Service has.
  return hosts
    .map(canonicalHost)
    .filter((host) => host !== undefined)
    .map((host) => ({ host, port: port ?? DNS_PORT }));
}
