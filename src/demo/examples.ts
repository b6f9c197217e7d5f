import type { SocketAddress } from '../config/config.ts';
import type { DemoCluster, DemoService } from './cluster-file.ts';

/** A command to try, and what it shows. */
export interface Example {
  readonly command: string;
  readonly shows: string;
}

/** `dig` commands for names that this cluster has, one of each kind. */
export function examplesFor(cluster: DemoCluster, server: SocketAddress): Example[] {
  const services = [...cluster.namespaces].flatMap(([namespace, inIt]) =>
    [...inIt].map(([name, service]) => ({ name: `${name}.${namespace}.svc.${cluster.domain}`, service })),
  );
  const dig = `dig -p ${server.port} @${server.host}`;
  const web =
    services.find(({ name }) => name.startsWith('web.')) ?? services.find(({ service }) => hasAddress(service));
  const headless = services.find(({ service }) => isHeadless(service));
  const withPort = headless?.service.ports[0] === undefined ? undefined : headless;
  const port = withPort?.service.ports[0];
  const alias = services.find(({ service }) => service.externalName !== undefined);
  const outside = [...cluster.outside.keys()][0];
  return [
    web && { command: `${dig} ${web.name}`, shows: 'a Service' },
    web && { command: `${dig} +tcp ${web.name} AAAA`, shows: 'the same over TCP, IPv6' },
    headless && { command: `${dig} ${headless.name}`, shows: 'a headless Service: its ready endpoints' },
    port && {
      command: `${dig} _${port.name}._${port.protocol.toLowerCase()}.${withPort!.name} SRV`,
      shows: 'its ports',
    },
    web &&
      hasAddress(web.service) && { command: `${dig} -x ${web.service.clusterIPs[0]}`, shows: 'whose address it is' },
    alias && { command: `${dig} ${alias.name}`, shows: 'a Service that is an outside name' },
    outside && { command: `${dig} ${outside}`, shows: 'an outside name' },
    { command: `${dig} nobody.default.svc.${cluster.domain}`, shows: 'a name that is not there' },
  ].filter((example): example is Example => typeof example === 'object');
}

function hasAddress({ clusterIPs }: DemoService): boolean {
  return clusterIPs.length > 0;
}

function isHeadless({ clusterIPs, externalName, endpoints }: DemoService): boolean {
  return clusterIPs.length === 0 && externalName === undefined && endpoints.some(({ ready }) => ready);
}
