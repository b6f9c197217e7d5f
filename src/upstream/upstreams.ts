import type { UpstreamAddress, ZoneConfig } from '../config/config.ts';
import { upstreamKey } from '../config/upstream-address.ts';
import type { Clock } from '../core/clock.ts';
import { DEPARTURES_A_TURN } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { Portions } from '../core/portions.ts';
import { atOnce, type Steps } from '../core/slices.ts';
import { TimerWheel } from '../core/timer-wheel.ts';
import { Forwarder } from './forwarder.ts';
import type { Inquiry } from './inquiry.ts';
import { type Loop, Loops } from './loops.ts';
import { policyByName } from './policy/by-name.ts';
import { RandomIds } from './random-ids.ts';
import type { Selection } from './selection.ts';
import type { TcpTiming } from './tcp-pool.ts';
import { Upstream, type UpstreamParts } from './upstream.ts';

/** Idle limits and the like are looked at once a second. */
const SLOW_TICK_MS = 250;

export interface UpstreamsParts {
  clock: Clock;
  /** For the timers of queries in flight. */
  wheel: TimerWheel;
  log: Logger;
  /** 0 to 1; for choices that need not be hidden. */
  random?: () => number;
  /** For tests: how connections age. */
  timing?: TcpTiming;
  slowWheel?: TimerWheel;
}

/** The servers of a zone by rank: those of a later list are asked where those of the earlier ones stand worse. */
export type RankedAddresses = readonly (readonly UpstreamAddress[])[];

/** What another configuration needs, not in use yet. */
export interface PreparedUpstreams {
  readonly kept: ReadonlyMap<string, Upstream>;
  readonly forwarders: ReadonlyMap<string, Forwarder>;
  readonly zones: ReadonlyMap<string, ZoneConfig>;
}

/** All servers that are asked: one for each address and transport, shared by the zones that name it, and kept over a change of configuration. */
export class Upstreams {
  /** Which of them lead back to this agent. */
  readonly loops: Loops;
  readonly #parts: UpstreamParts;
  readonly #departures = new Portions<Inquiry>(DEPARTURES_A_TURN, (inquiry) => inquiry.depart());
  #byKey = new Map<string, Upstream>();
  /** Named no more, with replies still to come. */
  #leaving: Upstream[] = [];
  /** Of forwarders that were replaced: counters never go back. */
  #past = { hedges: 0, moved: 0, allDown: 0, rejected: 0 };
  #byZone: ReadonlyMap<string, Forwarder> = new Map();
  #zones: ReadonlyMap<string, ZoneConfig> = new Map();
  #redirected: ReadonlySet<string> = new Set();

  constructor({ random = Math.random, slowWheel, ...parts }: UpstreamsParts) {
    const allParts = {
      ...parts,
      random,
      slowWheel: slowWheel ?? new TimerWheel({ clock: parts.clock, tickMs: SLOW_TICK_MS }),
      ids: new RandomIds(),
    };
    this.loops = new Loops(allParts);
    this.#parts = { ...allParts, watch: this.loops };
  }

  /** Makes a forwarder for each zone, and uses them from now on. */
  apply(zones: readonly ZoneConfig[]): ReadonlyMap<string, Forwarder> {
    const prepared = atOnce(this.prepare(zones));
    this.take(prepared);
    return prepared.forwarders;
  }

  /**
   * Makes a forwarder for each zone, a step each; a zone that asks as it did keeps the one it has. Nothing that runs changes before `take`, which must
   * come before another `prepare`.
   */
  *prepare(zones: readonly ZoneConfig[]): Steps<PreparedUpstreams> {
    const kept = new Map<string, Upstream>();
    const forwarders = new Map<string, Forwarder>();
    const configs = new Map<string, ZoneConfig>();
    const { random, clock, wheel } = this.#parts;
    const departures = this.#departures;
    for (const config of zones) {
      const { zone, policy: name, tryMs, totalMs } = config;
      const upstreams = config.upstreams.map((address) => this.#keep(kept, address));
      const before = this.#zones.get(zone);
      if (before !== undefined && isAskedAlike(before, config)) {
        const forwarder = this.#byZone.get(zone)!;
        forwarders.set(zone, forwarder);
        // It may have been redirected, and stays so.
        for (const upstream of forwarder.selection.upstreams) kept.set(upstreamKey(upstream.address), upstream);
      } else {
        const options = { upstreams, policy: policyByName(name, random), tryMs, totalMs };
        forwarders.set(zone, new Forwarder(options, { clock, wheel, departures, random }));
      }
      configs.set(zone, config);
      yield;
    }
    return { kept, forwarders, zones: configs };
  }

  /** Uses what was prepared. Upstreams that are named no more answer what they have in flight, and close. */
  take({ kept, forwarders, zones }: PreparedUpstreams): void {
    // Before what they would ask is drained.
    this.#departures.flush();
    this.#leaving = this.#leaving.filter(({ isOpen }) => isOpen);
    for (const [key, upstream] of this.#byKey) if (!kept.has(key)) this.#leaving.push(upstream);
    for (const upstream of this.#leaving) upstream.drain();
    this.#byKey = new Map(kept);
    for (const [zone, forwarder] of this.#byZone)
      if (forwarders.get(zone) !== forwarder) addCounts(this.#past, forwarder);
    this.#byZone = forwarders;
    this.#zones = zones;
    this.loops.watch(forwarders);
  }

  /**
   * Asks other servers for these zones than their configuration names, from the next question on; zones that an earlier call named and this one does not go back to
   * theirs. Zones keep their forwarders, so nothing else is to be told. A zone whose configuration changes is asked as that says, until the next call. Not between
   * `prepare` and `take`.
   */
  redirect(zones: ReadonlyMap<string, RankedAddresses>): void {
    // Before what they would ask is drained.
    this.#departures.flush();
    const left = new Set<Upstream>();
    const ways: Loop[] = [];
    for (const zone of new Set([...this.#redirected, ...zones.keys()])) {
      const forwarder = this.#byZone.get(zone);
      if (forwarder === undefined) continue;
      const before = new Set(forwarder.selection.upstreams);
      for (const upstream of before) left.add(upstream);
      const ranked = zones.get(zone) ?? [this.#zones.get(zone)!.upstreams];
      forwarder.selection.replace(ranked.map((list) => list.map((address) => this.#keep(this.#byKey, address))));
      for (const upstream of forwarder.selection.upstreams) if (!before.has(upstream)) ways.push({ zone, upstream });
    }
    this.#redirected = new Set(zones.keys());
    this.#leave(left);
    this.loops.watchNew(ways);
  }

  /** Drains those that no zone asks any more. */
  #leave(candidates: Set<Upstream>): void {
    for (const { selection } of this.#byZone.values())
      for (const upstream of selection.upstreams) candidates.delete(upstream);
    this.#leaving = this.#leaving.filter(({ isOpen }) => isOpen);
    for (const upstream of candidates) {
      this.#byKey.delete(upstreamKey(upstream.address));
      this.#leaving.push(upstream);
      upstream.drain();
    }
  }

  #keep(kept: Map<string, Upstream>, address: UpstreamAddress): Upstream {
    const key = upstreamKey(address);
    const upstream = kept.get(key) ?? this.#byKey.get(key) ?? new Upstream(address, this.#parts);
    kept.set(key, upstream);
    return upstream;
  }

  list(): Iterable<Upstream> {
    return this.#byKey.values();
  }

  /** Those of a zone, and how they stand in it; undefined for what is no zone. */
  selection(zone: string): Selection | undefined {
    return this.#byZone.get(zone)?.selection;
  }

  /** Second upstreams asked, questions moved to another, questions while all were down, questions that no upstream had room for; all zones together. */
  get counts(): Readonly<Counts> {
    const sums = { ...this.#past };
    for (const forwarder of this.#byZone.values()) addCounts(sums, forwarder);
    return sums;
  }

  /** Closes every connection and socket at once; questions in flight fail. */
  close(): void {
    this.loops.stop();
    this.#departures.flush();
    for (const upstream of [...this.#leaving, ...this.#byKey.values()]) upstream.close();
    this.#leaving = [];
    this.#byKey = new Map();
  }
}

interface Counts {
  hedges: number;
  moved: number;
  allDown: number;
  rejected: number;
}

function addCounts(sums: Counts, { hedges, moved, allDown, rejected }: Readonly<Counts>): void {
  sums.hedges += hedges;
  sums.moved += moved;
  sums.allDown += allDown;
  sums.rejected += rejected;
}

/** The same servers in the same order, chosen and waited for in the same way. */
function isAskedAlike(a: ZoneConfig, b: ZoneConfig): boolean {
  if (a.policy !== b.policy || a.tryMs !== b.tryMs || a.totalMs !== b.totalMs) return false;
  if (a.upstreams === b.upstreams) return true;
  return (
    a.upstreams.length === b.upstreams.length &&
    a.upstreams.every((address, at) => upstreamKey(address) === upstreamKey(b.upstreams[at]!))
  );
}
