import * as net from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { CLUSTER_DNS_SERVICES } from '../config/service-names.ts';
import { daemonSets, teardownDaemonSet } from './daemon-set.ts';
import { Manifest } from './manifest.ts';
import { MANIFEST_DEFAULTS } from './manifest-flags.ts';
import type { ManifestPlan } from './manifest-plan.ts';

/** Places in `cluster-role.yaml` of what few need. */
const PODS_RULE = 2;
const NODES_RULE = 3;

/** All objects, in the order in which they are to be created. */
export function renderManifests(plan: ManifestPlan): Manifest[] {
  if (plan.isTeardown) return [...namespaces(plan), teardownDaemonSet(plan)];
  return [
    ...namespaces(plan),
    own(Manifest.load('service-account'), plan).set(['automountServiceAccountToken'], hasApi(plan)),
    ...roles(plan),
    ...(plan.serve.hasClusterDns ? [] : [upstreamService(plan)]),
    own(Manifest.load('config-map'), plan).setText(['data', 'signpost.yaml'], plan.serve.file),
    ...(plan.proxy === 'cilium' ? redirectPolicies(plan) : []),
    ...(plan.hasMonitoring ? monitoring(plan) : []),
    ...daemonSets(plan),
  ];
}

function own(manifest: Manifest, { namespace }: ManifestPlan): Manifest {
  return manifest.set(['metadata', 'namespace'], namespace);
}

function namespaces({ namespace }: ManifestPlan): Manifest[] {
  if (namespace === MANIFEST_DEFAULTS.namespace) return [];
  return [Manifest.load('namespace').set(['metadata', 'name'], namespace)];
}

function hasApi({ serve }: ManifestPlan): boolean {
  return serve.config.kubernetes !== 'off';
}

function roles(plan: ManifestPlan): Manifest[] {
  if (!hasApi(plan)) return [];
  const { clusterDnsService, search, hasNodeNames, isClusterDnsDirect } = plan.serve.config;
  const { namespace, names } = clusterDnsService;
  const role = Manifest.load('role').set(['metadata', 'namespace'], namespace);
  if (!isDeepStrictEqual(names, CLUSTER_DNS_SERVICES.names)) role.set(['rules', 0, 'resourceNames'], names);
  const clusterRole = Manifest.load('cluster-role');
  if (!hasNodeNames && !isClusterDnsDirect) clusterRole.remove(['rules', NODES_RULE]);
  if (search !== 'complete') clusterRole.remove(['rules', PODS_RULE]);
  const binding = (name: string): Manifest => Manifest.load(name).set(['subjects', 0, 'namespace'], plan.namespace);
  return [
    role,
    binding('role-binding').set(['metadata', 'namespace'], namespace),
    clusterRole,
    binding('cluster-role-binding'),
  ];
}

function upstreamService({ clusterDnsSelector: { key, value }, families }: ManifestPlan): Manifest {
  const service = Manifest.load('kube-dns-upstream').set(['spec', 'selector'], { [key]: value });
  if (families === 'ipv6') service.set(['spec', 'ipFamilies'], ['IPv6']);
  // The order of the families is the cluster's own.
  if (families === 'dual') service.remove(['spec', 'ipFamilies']).set(['spec', 'ipFamilyPolicy'], 'RequireDualStack');
  return service;
}

function redirectPolicies(plan: ManifestPlan): Manifest[] {
  const { frontends, families } = plan;
  if (frontends.length === 0) return [own(Manifest.load('local-redirect-policy'), plan)];
  return frontends.map((ip) => {
    const policy = own(Manifest.load('local-redirect-policy'), plan);
    const toPorts = policy.valueAt(['spec', 'redirectBackend', 'toPorts']);
    if (families === 'dual') policy.set(['metadata', 'name'], net.isIPv6(ip) ? 'signpost-ipv6' : 'signpost-ipv4');
    return policy.set(['spec', 'redirectFrontend'], { addressMatcher: { ip, toPorts } });
  });
}

function monitoring(plan: ManifestPlan): Manifest[] {
  const service = own(Manifest.load('metrics-service'), plan);
  const port = plan.serve.config.metrics?.port;
  if (port !== undefined) service.set(['spec', 'ports', 0, 'port'], port).set(['spec', 'ports', 0, 'targetPort'], port);
  return [service, own(Manifest.load('service-monitor'), plan), own(Manifest.load('prometheus-rule'), plan)];
}
