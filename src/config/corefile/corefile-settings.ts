import * as net from 'node:net';
import type { Complaints } from '../complaints.ts';
import type { Said, Settings, ZoneSettings } from '../settings.ts';
import { isWildcard } from '../socket-address.ts';
import { REVERSE_ZONES } from '../zone-defaults.ts';
import { findClusterZone } from './cluster-zone.ts';
import { type Note, noteAt } from './note.ts';
import { planHosts } from './plan-hosts.ts';
import { saidAt } from './said.ts';
import { attempt, type Server } from './server.ts';
import { addressesOf, isOnly, type TargetSources } from './targets.ts';
import type { Token } from './token.ts';
import { closestOf, planZones, type ZonePlan } from './zone-plan.ts';

export interface AssemblyParts extends TargetSources {
  /** Where the Corefile begins: blamed where nothing in it is to blame. */
  readonly begin: Token;
  /** With the trailing dot. */
  readonly clusterZone: string;
  /** Whom a block without `bind` listens on. */
  readonly listenHosts: readonly string[];
  readonly notes: Note[];
  readonly complaints: Complaints;
}

/** All server blocks as one layer of settings. */
export function corefileSettings(servers: readonly Server[], parts: AssemblyParts): Settings {
  const plans = planZones(servers, parts.notes, parts.complaints);
  planHosts(servers, plans, parts.notes);
  const clusterZone = findClusterZone(plans, parts.clusterZone);
  const root = plans.get('.');
  const zones = [...plans.values()].map((plan) => zoneSettings(plan, plans, clusterZone, parts));
  if (root === undefined) zones.push(noRoot(parts));
  const blocks = servers.map(({ block }) => block);
  const listen = listenSaid(servers, parts);
  const probes = probesSaid(blocks.flatMap(({ health }) => health));
  return {
    ...(listen.length > 0 && { listen }),
    ...one(
      'metrics',
      blocks.map(({ metrics }) => metrics),
      parts,
    ),
    ...one(
      'lameduck',
      blocks.map(({ lameduck }) => lameduck),
      parts,
    ),
    ...one(
      'logLevel',
      blocks.map(({ logLevel }) => logLevel),
      parts,
    ),
    ...(probes.length > 0 && { probes }),
    ...clusterSettings(clusterZone, plans, parts),
    ...rootSettings(root, parts),
    zones: zones.filter((zone) => Object.keys(zone).length > 1),
  };
}

/** The first that says it; others that say something else are named. */
function one<K extends string>(
  key: K,
  values: readonly (Said | undefined)[],
  { notes }: AssemblyParts,
): { [Key in K]?: Said } {
  const [first, ...others] = values.filter((value) => value !== undefined);
  for (const { text, origin } of others) {
    if (text === first!.text) continue;
    const where = `${first!.text} of ${first!.origin.place} counts for all blocks`;
    notes.push({ place: origin.place!, name: origin.name, text: `${text} is left out: ${where}`, matters: true });
  }
  return first === undefined ? {} : ({ [key]: first } as { [Key in K]?: Said });
}

/** Each address once. */
function probesSaid(said: readonly Said[]): Said[] {
  return [...new Map(said.map((each) => [each.text, each])).values()];
}

function rootSettings(root: ZonePlan | undefined, parts: AssemblyParts): Pick<Settings, 'upstreams' | 'resolvConf'> {
  if (root === undefined || root.targets.length === 0) return {};
  const [target] = root.targets;
  if (
    root.targets.length === 1 &&
    target !== undefined &&
    (target.kind === 'upstream-servers' || target.kind === 'resolv.conf')
  ) {
    if (target.scheme === 'tcp') {
      const text =
        'its name servers are asked over UDP, and over TCP where an answer is truncated; where they are to be asked over TCP alone, name them: --upstream tcp://…';
      parts.notes.push(noteAt(root.forward!.at, 'forward force_tcp', text, true));
    }
    return target.kind === 'resolv.conf' ? { resolvConf: target.path } : {};
  }
  return { upstreams: expanded(root, parts) };
}

function clusterSettings(
  clusterZone: string | undefined,
  plans: ReadonlyMap<string, ZonePlan>,
  parts: AssemblyParts,
): Pick<Settings, 'clusterDns' | 'clusterDomain'> {
  const plan = plans.get(clusterZone ?? '.');
  if (clusterZone === undefined || plan === undefined) {
    const isPlain = plan?.targets.every(({ kind }) => kind === 'address') === true && plan.targets.length > 0;
    const where = isPlain
      ? 'are asked of the same servers as all others'
      : 'are asked of --cluster-dns, or of the address in the environment';
    const text = `has no block for the cluster's names: those below ${parts.clusterZone} ${where}, and kept for 30 s at the most`;
    parts.notes.push(noteAt(parts.begin, 'Corefile', text, true));
    return isPlain ? { clusterDns: expanded(plan, parts) } : {};
  }
  const clusterDomain = saidAt(plan.at, 'server block', clusterZone.slice(0, -1));
  return { clusterDomain, ...(!isOnly(plan.targets, 'cluster-dns') && { clusterDns: expanded(plan, parts) }) };
}

function zoneSettings(
  plan: ZonePlan,
  plans: ReadonlyMap<string, ZonePlan>,
  clusterZone: string | undefined,
  parts: AssemblyParts,
): ZoneSettings {
  const { zone, at, settings } = plan;
  const said = { zone: saidAt(at, 'server block', zone === '.' ? zone : zone.slice(0, -1)), ...settings };
  if (zone === '.' || zone === clusterZone || plan.targets.length === 0) return said;
  if (isOnly(plan.targets, 'cluster-dns') && closestReverse(zone, plans)) return said;
  const above = plans.get(closestOf(parent(zone), plans) ?? '');
  const isPart = above?.forward === plan.forward && above?.targets === plan.targets && !isDefaultReverse(zone);
  return isPart ? said : { ...said, upstreams: expanded(plan, parts) };
}

function parent(zone: string): string {
  return zone.slice(zone.indexOf('.') + 1) || '.';
}

function isDefaultReverse(zone: string): boolean {
  return REVERSE_ZONES.includes(zone);
}

/** Whether what is said of no upstreams there goes to the cluster DNS. */
function closestReverse(zone: string, plans: ReadonlyMap<string, ZonePlan>): boolean {
  if (isDefaultReverse(zone)) return true;
  const known = { has: (name: string): boolean => isDefaultReverse(name) || (name !== zone && plans.has(name)) };
  const above = closestOf(zone, known);
  return (
    above !== undefined &&
    isDefaultReverse(above) &&
    isOnly(plans.get(above)?.targets ?? [{ kind: 'cluster-dns', scheme: '' }], 'cluster-dns')
  );
}

function expanded({ targets, forward, at }: ZonePlan, parts: AssemblyParts): Said[] {
  return targets.flatMap(
    (target) => attempt(parts.complaints, 'forward', () => addressesOf(target, forward?.at ?? at, parts)) ?? [],
  );
}

/** CoreDNS refuses what no block is for. */
function noRoot({ begin, notes }: AssemblyParts): ZoneSettings {
  notes.push(noteAt(begin, 'Corefile', 'has no block for . : names of no zone are refused, as in CoreDNS', false));
  return { zone: saidAt(begin, 'Corefile', '.'), refuse: [saidAt(begin, 'Corefile', '.')] };
}

function listenSaid(servers: readonly Server[], { notes, listenHosts }: AssemblyParts): Said[] {
  const all = new Map<string, Said>();
  const sets = new Set<string>();
  for (const { block, ports, zones } of servers) {
    const at = zones[0]?.at;
    if (at === undefined) continue;
    let hosts = block.listenHosts.filter(({ text }) => !isWildcard(text));
    if (hosts.length === 0) {
      const text = `listens on all addresses of the node in CoreDNS, here on ${listenHosts.join(', ')} (--listen): a reply has to come from the address that was asked`;
      notes.push(noteAt(at, 'server block', text, true));
      hosts = listenHosts.map((host) => saidAt(at, 'bind', host));
    }
    const texts = hosts.flatMap((host) =>
      ports.map((port) => ({ ...host, text: `${net.isIPv6(host.text) ? `[${host.text}]` : host.text}:${port}` })),
    );
    for (const said of texts) all.set(said.text, said);
    sets.add(
      texts
        .map(({ text }) => text)
        .sort()
        .join(' '),
    );
  }
  if (sets.size > 1) {
    const text = 'has blocks that listen on different addresses: here all zones are answered on all of them';
    notes.push(noteAt(servers[0]!.zones[0]!.at, 'bind', text, true));
  }
  return [...all.values()];
}
