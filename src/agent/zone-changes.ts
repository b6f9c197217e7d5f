import { isDeepStrictEqual } from 'node:util';
import type { NameTest } from '../cache/drops.ts';
import type { Alias, CachePolicy, Config, HostEntry, ZoneConfig } from '../config/config.ts';
import { upstreamKey } from '../config/upstream-address.ts';
import type { Steps } from '../core/slices.ts';
import { reverseName } from '../resolve/host-table.ts';
import type { Zone } from '../resolve/zone.ts';
import { RouteTable } from '../route/route-table.ts';

/**
 * Names that another configuration answers otherwise: each stands for all below it as well, but for zones there that have not changed. How an upstream
 * is chosen, how long it is waited for, and what is logged changes no answer. A bound of lifetimes that is lower than before does: whoever lowers it
 * wants nothing older to be said, and an entry does not tell how long it would have lived otherwise. What is stale is judged when it is asked for.
 */
export function* changedNames(before: Config, after: Config): Steps<Set<string>> {
  const names = new Set<string>();
  const earlier = new Map(before.zones.map((zone) => [zone.zone, zone]));
  for (const zone of after.zones) {
    const known = earlier.get(zone.zone);
    earlier.delete(zone.zone);
    if (known === undefined || hasOtherAnswers(known, zone)) names.add(zone.zone);
    if (known === zone) continue;
    addHosts(names, known?.hosts ?? [], zone.hosts);
    addAliases(names, known?.aliases ?? [], zone.aliases);
    // What was refused was not kept; what is refused now may be.
    const refused = new Set(known?.refuse);
    for (const name of zone.refuse) if (!refused.has(name)) names.add(name);
    yield;
  }
  for (const gone of earlier.values()) {
    names.add(gone.zone);
    addHosts(names, gone.hosts, []);
    addAliases(names, gone.aliases, []);
    yield;
  }
  if (before.clusterDomain !== after.clusterDomain) {
    for (const domain of [before.clusterDomain, after.clusterDomain]) names.add(`${domain}.`);
  }
  // What an alias leads to may be answered otherwise.
  for (const { aliases } of after.zones) {
    for (const { from, to } of aliases) if (isWithinAny(to, names)) names.add(from);
    if (aliases.length > 0) yield;
  }
  return names;
}

function isWithinAny(name: string, zones: ReadonlySet<string>): boolean {
  for (let rest = name; rest !== ''; rest = rest.slice(rest.indexOf('.') + 1)) if (zones.has(rest)) return true;
  return zones.has('.');
}

/** Says of a name whether one of `names` stands for it. `routes`: the zones as they are now. */
export function* testFor(names: ReadonlySet<string>, routes: RouteTable<Zone>): Steps<NameTest> {
  const changed = yield* RouteTable.inSteps([...names].map((name): [string, number] => [name, labelsOf(name)]));
  return (bytes, start, nameEnd) => {
    const labels = changed.lookup(bytes, start, nameEnd);
    return labels !== undefined && routes.lookup(bytes, start, nameEnd)!.labels <= labels;
  };
}

function labelsOf(name: string): number {
  return name === '.' ? 0 : name.split('.').length - 1;
}

function hasOtherAnswers(a: ZoneConfig, b: ZoneConfig): boolean {
  if (a === b) return false;
  return a.hasAaaa !== b.hasAaaa || isShorter(a.cache, b.cache) || !isSameSet(a, b);
}

/** The same servers, asked in the same way, in whichever order. */
function isSameSet({ upstreams: a }: ZoneConfig, { upstreams: b }: ZoneConfig): boolean {
  const keys = new Set(a.map(upstreamKey));
  return keys.size === new Set(b.map(upstreamKey)).size && b.every((address) => keys.has(upstreamKey(address)));
}

function isShorter(before: CachePolicy, after: CachePolicy): boolean {
  return (
    after.positiveMinSeconds < before.positiveMinSeconds ||
    after.positiveMaxSeconds < before.positiveMaxSeconds ||
    after.negativeMinSeconds < before.negativeMinSeconds ||
    after.negativeMaxSeconds < before.negativeMaxSeconds
  );
}

/** Names and reverse names of entries that are in one list only. */
function addHosts(names: Set<string>, before: readonly HostEntry[], after: readonly HostEntry[]): void {
  if (isDeepStrictEqual(before, after)) return;
  const known = new Set(before.map((entry) => JSON.stringify(entry)));
  const wanted = new Set(after.map((entry) => JSON.stringify(entry)));
  for (const entry of [...before, ...after]) {
    const text = JSON.stringify(entry);
    if (known.has(text) && wanted.has(text)) continue;
    for (const name of [...entry.names, reverseName(entry.address)]) names.add(name);
  }
}

/** Aliases that are in one list only. */
function addAliases(names: Set<string>, before: readonly Alias[], after: readonly Alias[]): void {
  const known = new Map(before.map(({ from, to }) => [from, to]));
  for (const { from, to } of after) {
    if (known.get(from) === to) known.delete(from);
    else names.add(from);
  }
  for (const from of known.keys()) names.add(from);
}
