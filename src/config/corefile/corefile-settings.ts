import type { Complaints } from '../complaints.ts';
import type { Said, Settings, ZoneSettings } from '../settings.ts';
import { REVERSE_ZONES } from '../zone-defaults.ts';
import { findClusterZone } from './cluster-zone.ts';
import { type Note, noteAt } from './note.ts';
import { planAliases } from './plan-aliases.ts';
import { planHosts } from './plan-hosts.ts';
import { saidAt } from './said.ts';
import { attempt, type Server } from './server.ts';
import { serverSettings } from './server-settings.ts';
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
  planAliases(servers, plans, parts.notes);
  planHosts(servers, plans, parts.notes);
  const clusterZone = findClusterZone(plans, parts.clusterZone);
  const root = plans.get('.');
  const zones = [...plans.values()].map((plan) => zoneSettings(plan, plans, clusterZone, parts));
  if (root === undefined) zones.push(noRoot(parts));
  return {
    ...serverSettings(servers, parts),
    ...clusterSettings(clusterZone, plans, parts),
    ...rootSettings(root, parts),
    zones: zones.filter((zone) => Object.keys(zone).length > 1),
  };
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
        'is left out for the name servers of a resolv.conf, which are asked over UDP, and over TCP where an answer is truncated; where they are to be asked over TCP alone, name them: --upstream tcp://…';
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
  if (
    plan.forward !== undefined &&
    plan.targets.some((target) => target.kind === 'cluster-dns' && target.scheme !== 'tcp')
  ) {
    const text =
      'asks the cluster DNS over TCP alone, over connections that stay open; name it for another way: --cluster-dns udp+tcp://…';
    parts.notes.push(noteAt(plan.forward.at, 'forward', text, false));
  }
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
