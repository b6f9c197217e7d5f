import { isIPv6 } from 'node:net';
import type { Config, SocketAddress } from '../config/config.ts';
import type { Failover, Family, WantedState } from './wanted-state.ts';

export interface WantedFromConfigParts {
  /** Addresses of Services: they fall through to kube-proxy, but where queries are tracked. Link-local ones never are. */
  services?: readonly string[];
  /** Addresses of the cluster DNS besides those that the configuration has: its Service's of the other family. */
  clusterDns?: readonly SocketAddress[];
  /** The DNS pods' own addresses of both families, where they are known. */
  targets?: readonly SocketAddress[];
}

/** What a configuration asks of the node's network. Addresses that every node has (loopback) or that are none (wildcards) are not ours to add. */
export function wantedFromConfig(
  config: Config,
  { services = [], clusterDns: further = [], targets = [] }: WantedFromConfigParts = {},
): WantedState {
  const { interface: link, hasNoTrack } = config.nodeNetwork;
  const listen = config.listen.filter(({ host, port }) => port > 0 && !isEverywhere(host));
  const clusterDns = [...clusterDnsOf(config), ...further];
  // Where queries are tracked, kube-proxy sees new connections only: a socket that has asked the agent would stay with it.
  const led = hasNoTrack ? listen.filter(({ host }) => !services.includes(host)) : listen;
  return {
    link,
    addresses: addressesOf(listen),
    rules: { listen, hasNoTrack, failovers: led.map((address) => failoverOf(address, clusterDns, targets)) },
  };
}

/** Addresses of the Services of the pod's own Kubernetes namespace, which its environment names (`KUBE_DNS_SERVICE_HOST`): they have kube-proxy to stand in. */
export function servicesOf(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, host]) => (host && /_SERVICE_HOST$/.test(name) ? [host] : []));
}

/** Each once. */
export function addressesOf(listen: readonly SocketAddress[]): string[] {
  return [...new Set(listen.map(({ host }) => host))];
}

export function familyOf(host: string): Family {
  return isIPv6(host) ? 6 : 4;
}

function failoverOf(
  listen: SocketAddress,
  clusterDns: readonly SocketAddress[],
  targets: readonly SocketAddress[],
): Failover {
  const family = familyOf(listen.host);
  const isSame = ({ host }: SocketAddress) => familyOf(host) === family && host !== listen.host;
  return { family, listen, service: clusterDns.find(isSame), targets: targets.filter(isSame) };
}

/** Where the cluster's zone is asked in plain DNS: what queries can be led to as they are. */
export function clusterDnsOf({ zones, clusterDomain }: Config): SocketAddress[] {
  const zone = zones.find((candidate) => candidate.zone === `${clusterDomain}.`);
  return (zone?.upstreams ?? [])
    .filter(({ transport }) => transport !== 'tls' && transport !== 'https')
    .map(({ host, port }) => ({ host, port }));
}

function isEverywhere(host: string): boolean {
  return host.startsWith('127.') || host === '::1' || host === '0.0.0.0' || host === '::';
}
