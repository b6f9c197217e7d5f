import type { ServiceNames } from './config.ts';

/** Where the cluster DNS is looked for where nobody says: the first is a Service that only node caches use. */
export const CLUSTER_DNS_SERVICES: ServiceNames = {
  namespace: 'kube-system',
  names: ['kube-dns-upstream', 'kube-dns'],
};

/** `kube-system/coredns` */
export function serviceNamesFrom(text: string): ServiceNames {
  const slash = text.indexOf('/');
  return { namespace: text.slice(0, slash), names: [text.slice(slash + 1)] };
}

/** `kube-system/kube-dns-upstream or kube-system/kube-dns` */
export function serviceNamesText({ namespace, names }: ServiceNames): string {
  return names.map((name) => `${namespace}/${name}`).join(' or ');
}

/** What begins the variables by which kubelet tells pods of the same namespace where a Service is: `KUBE_DNS_SERVICE`, before `_HOST` and `_PORT`. */
export function serviceVariable(name: string): string {
  return `${name.toUpperCase().replaceAll('-', '_')}_SERVICE`;
}
