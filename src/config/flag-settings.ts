import { type Complaints, shown } from './complaints.ts';
import type { Flags } from './flags.ts';
import { Refusal } from './refusal.ts';
import type { Said, Settings, ZoneSettings } from './settings.ts';
import { parseZoneName } from './zone-name.ts';

/** The flags as a layer: the first, so that a flag beats every file. A `--route` that is none goes to `complaints`. */
export function flagSettings(flags: Flags, complaints: Complaints): Settings {
  const one = (name: string, text: string | undefined): Said | undefined =>
    text === undefined ? undefined : { text, origin: { name } };
  const many = (name: string, texts: readonly string[] | undefined): readonly Said[] | undefined =>
    texts?.map((text) => ({ text, origin: { name } }));
  return withoutUndefined({
    listen: many('--listen', flags.listen),
    metrics: one('--metrics', flags.metrics),
    admin: one('--admin', flags.admin),
    probes: many('--probes', flags.probes),
    clusterDns: many('--cluster-dns', flags.clusterDns),
    clusterDnsService: one('--cluster-dns-service', flags.clusterDnsService),
    clusterDomain: one('--cluster-domain', flags.clusterDomain),
    upstreams: many('--upstream', flags.upstream),
    resolvConf: one('--resolv-conf', flags.resolvConf),
    policy: one('--policy', flags.policy),
    cacheSize: one('--cache-size', flags.cacheSize),
    nodeNetwork: one('--node-network', flags.nodeNetwork),
    interface: one('--interface', flags.interface),
    state: one('--state', flags.state),
    nodeName: one('--node-name', flags.nodeName),
    kubernetes: one('--kubernetes', flags.kubernetes),
    search: one('--search', flags.search),
    lease: one('--lease', flags.lease ? 'on' : undefined),
    nodeNames: one('--node-names', flags.nodeNames ? 'on' : undefined),
    lameduck: one('--lameduck', flags.lameduck),
    logLevel: one('--log-level', flags.logLevel),
    logFormat: one('--log-format', flags.logFormat),
    logSample: one('--log-sample', flags.logSample),
    zones: flags.route && routes(flags.route, complaints),
  });
}

/** Every `--route ZONE=UPSTREAM[,UPSTREAM]`. */
function routes(values: readonly string[], complaints: Complaints): ZoneSettings[] {
  return values.flatMap((value) => {
    const route = complaints.read('ERR_ROUTE', `route ${shown(value)}`, '--route', () => {
      const [, zone, list] = /^([^=]*)=(.*)$/s.exec(value) ?? [];
      if (!zone || !list) throw new Refusal('expected ZONE=UPSTREAM[,UPSTREAM], such as corp.example=10.1.2.3');
      parseZoneName(zone);
      return { zone, list };
    });
    if (route === undefined) return [];
    const said = (text: string): Said => ({ text, origin: { name: '--route' } });
    return [{ zone: said(route.zone), upstreams: route.list.split(',').map(said) }];
  });
}

/** Of what was not said there is no key, so that layers can be laid over each other. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, said]) => said !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
