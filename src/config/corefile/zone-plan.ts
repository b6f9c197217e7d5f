import type { Complaints } from '../complaints.ts';
import type { CacheSettings, Said, ZoneSettings } from '../settings.ts';
import { isWithin } from '../zone-name.ts';
import type { BlockDraft, CacheDraft, ForwardDraft, Target, ZonesSaid } from './block-draft.ts';
import { parseGoDuration } from './go-duration.ts';
import { type Note, noteAt } from './note.ts';
import { saidAt } from './said.ts';
import type { Server } from './server.ts';
import { placeOf, type Token } from './token.ts';

/** What one zone comes to. */
export interface ZonePlan {
  readonly zone: string;
  readonly at: Token;
  readonly server: Server;
  /** Whom it asks; none: nobody, and its names are refused. */
  readonly targets: readonly Target[];
  /** The `forward` that says so; undefined where another directive does. */
  readonly forward: ForwardDraft | undefined;
  readonly settings: PlannedSettings;
}

/** What is said of the zone beside its name and its upstreams. */
type PlannedSettings = Mutable<Omit<ZoneSettings, 'zone' | 'upstreams' | 'hosts' | 'aliases' | 'refuse'>> & {
  hosts?: Said[];
  aliases?: Record<string, Said>;
  refuse?: Said[];
};

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The `kubernetes` plugin's part is done by the cluster DNS. */
const CLUSTER: readonly Target[] = [{ kind: 'cluster-dns', scheme: 'tcp' }];

/**
 * The zones of all blocks and, below them, those names at which a block says something else than above: a `forward` for one of them, an exception, a
 * cache of some zones. A name is answered by the block whose zone is the closest, whatever other blocks say of it.
 */
export function planZones(servers: readonly Server[], notes: Note[], complaints: Complaints): Map<string, ZonePlan> {
  const owners = new Map<string, Server>();
  const places = new Map<string, Token>();
  for (const server of servers) {
    for (const { zone, at } of server.zones) {
      const first = places.get(zone);
      if (first === undefined) {
        owners.set(zone, server);
        places.set(zone, at);
      } else if (isSameListener(owners.get(zone)!, server)) {
        const reason = `${zone} has a block for the same address already (${placeOf(first)})`;
        complaints.add('ERR_COREFILE', `${placeOf(at)}: Cannot read ${at.text}: ${reason}`);
      } else {
        const text = `${zone} has a block already (${placeOf(first)}), and zones are the same on all listen addresses: this one is left out`;
        notes.push(noteAt(at, at.text, text, true));
      }
    }
  }
  const plans = new Map<string, ZonePlan>();
  for (const [zone, server] of owners) planZone(zone, places.get(zone)!, server, owners, plans);
  noteUnused(servers, plans, notes);
  return plans;
}

/** Whether both would answer at one address and port. */
function isSameListener(a: Server, b: Server): boolean {
  const hosts = new Set(a.block.listenHosts.map(({ text }) => text));
  const isHostShared =
    hosts.size === 0 ? b.block.listenHosts.length === 0 : b.block.listenHosts.some(({ text }) => hosts.has(text));
  return a === b || (isHostShared && a.ports.some((port) => b.ports.includes(port)));
}

function planZone(
  zone: string,
  at: Token,
  server: Server,
  owners: ReadonlyMap<string, Server>,
  plans: Map<string, ZonePlan>,
): void {
  const { block } = server;
  const plan = planAt(zone, at, server);
  plans.set(zone, plan);
  // What is refused is refused before hosts are looked at.
  const isAnswered = plan.targets.length > 0 || covers(block.hosts, zone);
  const refuse = new Set(isAnswered ? [] : [zone]);
  const below = (name: string): boolean => name !== zone && closestOf(name, owners) === zone;
  for (const name of new Set(namesIn(block).filter(below))) {
    const part = planAt(name, at, server);
    if (part.targets.length > 0 || covers(block.hosts, name)) plans.set(name, part);
    else refuse.add(name);
  }
  for (const { zones = [zone] } of block.refused) {
    for (const name of zones) {
      if (isWithin(zone, name)) refuse.add(zone);
      else if (below(name)) refuse.add(name);
      // A zone with upstreams of its own is refused by itself.
      for (const part of plans.values()) if (part.server === server && isWithin(part.zone, name)) refuse.add(part.zone);
    }
  }
  for (const name of refuse) {
    const holder = closestOf(name, plans)!;
    const settings = plans.get(holder)!.settings;
    settings.refuse ??= [];
    settings.refuse.push(saidAt(at, 'refuse', name));
  }
}

/** All names that a block says something of. */
function namesIn({ forwards, caches, hosts, noAaaa, clusterZones }: BlockDraft): string[] {
  return [
    ...forwards.flatMap(({ from, except }) => [from, ...except]),
    ...caches.flatMap(({ zones = [], notPositive, notNegative }) => [...zones, ...notPositive, ...notNegative]),
    ...[...hosts, ...noAaaa, ...clusterZones].flatMap(({ zones = [] }) => zones),
  ];
}

function planAt(zone: string, at: Token, server: Server): ZonePlan {
  const { block } = server;
  const isCluster = covers(block.clusterZones, zone) !== undefined;
  const forward = isCluster ? undefined : block.forwards.find((each) => asks(each, zone));
  const settings: PlannedSettings = {};
  const cache = cacheAt(zone, at, block.caches[0]);
  if (Object.keys(cache).length > 0) settings.cache = cache;
  if (forward?.policy) settings.policy = forward.policy;
  if (forward?.tryTimeout) settings.tryTimeout = forward.tryTimeout;
  if (forward?.source) settings.source = forward.source;
  if (forward?.caFile) settings.tls = { caFile: forward.caFile };
  const aaaa = covers(block.noAaaa, zone);
  if (aaaa) settings.aaaa = aaaa.said;
  if (block.logSample) settings.logSample = block.logSample;
  return { zone, at, server, targets: isCluster ? CLUSTER : (forward?.targets ?? []), forward, settings };
}

function asks({ from, except }: ForwardDraft, zone: string): boolean {
  return isWithin(zone, from) && closestOf(zone, except) === undefined;
}

function covers<T extends Pick<ZonesSaid, 'zones'>>(said: readonly T[], zone: string): T | undefined {
  return said.find(({ zones }) => zones === undefined || zones.some((each) => isWithin(zone, each)));
}

/** What CoreDNS has where only a least is said. */
const MAX_TTL = '1h';
const NEGATIVE_MAX_TTL = '30m';

function cacheAt(zone: string, at: Token, draft: CacheDraft | undefined): CacheSettings {
  const isIn = (names: readonly string[]): boolean => names.some((name) => isWithin(zone, name));
  if (draft === undefined || (draft.zones !== undefined && !isIn(draft.zones))) {
    const nothing = saidAt(at, 'cache', '0');
    return { maxTtl: nothing, negativeMaxTtl: nothing };
  }
  const nothing = saidAt(draft.at, 'cache disable', '0');
  const positive = isIn(draft.notPositive) ? [nothing, undefined] : bounds(draft.maxTtl, draft.minTtl, MAX_TTL);
  const negative = isIn(draft.notNegative)
    ? [nothing, undefined]
    : bounds(draft.negativeMaxTtl, draft.negativeMinTtl, NEGATIVE_MAX_TTL);
  const { prefetch, stale, staleAfter, staleTtl } = draft;
  const cache = {
    maxTtl: positive[0],
    minTtl: positive[1],
    negativeMaxTtl: negative[0],
    negativeMinTtl: negative[1],
    prefetch,
    stale,
    staleAfter,
    staleTtl,
  };
  return Object.fromEntries(Object.entries(cache).filter(([, said]) => said !== undefined));
}

/** The most, and a least that is not above it: CoreDNS lets the most win. */
function bounds(
  most: Said | undefined,
  least: Said | undefined,
  otherwise: string,
): [Said | undefined, Said | undefined] {
  if (least === undefined) return [most, undefined];
  const cap = most ?? { ...least, text: otherwise };
  return [cap, parseGoDuration(least.text) > parseGoDuration(cap.text) ? { ...least, text: cap.text } : least];
}

function noteUnused(servers: readonly Server[], plans: ReadonlyMap<string, ZonePlan>, notes: Note[]): void {
  const used = new Set([...plans.values()].map(({ forward }) => forward));
  for (const forward of servers.flatMap(({ block }) => block.forwards)) {
    if (used.has(forward)) continue;
    const text = `is never asked for ${forward.from}: no zone of its block is in it, or what stands before it answers`;
    notes.push(noteAt(forward.at, 'forward', text, false));
  }
}

/** The closest of the zones in `known` that `name` is in. */
export function closestOf(name: string, known: { has(zone: string): boolean }): string | undefined {
  for (let zone = name; ; zone = zone.slice(zone.indexOf('.') + 1) || '.') {
    if (known.has(zone)) return zone;
    if (zone === '.') return undefined;
  }
}
