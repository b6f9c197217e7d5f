import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { Timer, type TimerWheel } from '../core/timer-wheel.ts';
import { LoopNames, LoopProbe } from './loop-probe.ts';
import type { Selection } from './selection.ts';
import type { Upstream, UpstreamWatch } from './upstream.ts';

/** After a start or a change: the listeners are open by then. */
const FIRST_MS = 1000;
/** After servers came to a zone, this much later at the most: all nodes of a cluster hear of a new DNS pod in one moment. */
const NEW_SPREAD_MS = 3000;
/** Between two looks at all, where there is a sign of trouble, and where there is none: a quarter sooner or later, for there are many agents. */
const TROUBLED_MS = 10_000;
const CALM_MS = 600_000;
/** Probes that leave together, and how soon the next ones do: 20 a second, of whatever number of zones. */
const PROBES_AT_ONCE = 5;
const NEXT_MS = 250;
const PROBE_MS = 2000;

const AGAIN_MS = 5000;
/** Not by the first: what forwards to several servers may have chosen another one than us. */
const CLEAN_ENOUGH = 3;

/** What the resolver asks of a question that the cache has no answer to. */
export interface LoopTrap {
  /** Whether the name that begins at `at` is a probe of our own, which an upstream sent back to us. Says so to whoever sent it out. */
  catch(bytes: Uint8Array, at: number): boolean;
}

/** A way that leads back to us. */
export interface Loop {
  readonly zone: string;
  readonly upstream: Upstream;
}

interface WatchedLoop extends Loop {
  /** Probes in a row that did not come back. */
  clean: number;
}

export interface LoopsParts {
  clock: Clock;
  /** For the time limit of probes, and for all else. */
  wheel: TimerWheel;
  slowWheel: TimerWheel;
  log: Logger;
  /** 0 to 1. */
  random: () => number;
}

/** What Loops needs of a forwarder. */
interface Watched {
  readonly selection: Selection;
}

/**
 * Finds upstreams that lead back to this agent, directly or by way of a cluster DNS that forwards to its node. Each is asked, for each of its zones, a name that only we
 * know; when that name comes back to our listeners, the way is a loop, and the zone's questions avoid it until three such names in a row did not come back.
 * Asked at start, after a change, when an upstream is back or owes replies (a looping question ends as a silent one), and every ten minutes or so.
 */
export class Loops extends Timer implements LoopTrap, UpstreamWatch {
  readonly #parts: LoopsParts;
  readonly #names = new LoopNames();
  readonly #outstanding = new Map<number, LoopProbe>();
  #forwarders: ReadonlyMap<string, Watched> = new Map();
  #found: WatchedLoop[] = [];
  /** The rest of a walk over all zones and upstreams. */
  #walk: Iterator<Loop> | undefined;
  #walkedMs = Number.NEGATIVE_INFINITY;
  #askedAgainMs = Number.NEGATIVE_INFINITY;
  #isTroubled = false;
  #isStopped = false;

  constructor(parts: LoopsParts) {
    super();
    this.#parts = parts;
  }

  get found(): readonly Loop[] {
    return this.#found;
  }

  /** What these zones use from now on. What is known to be a loop stays one. */
  watch(forwarders: ReadonlyMap<string, Watched>): void {
    this.#forwarders = forwarders;
    this.#found = this.#found.filter((loop) => this.#set(loop, true));
    this.#walk = undefined;
    this.#walkedMs = Number.NEGATIVE_INFINITY;
    if (!this.#isStopped) this.#parts.slowWheel.set(this, FIRST_MS);
  }

  /** Zones use other servers than they did; the ways to those that are new to them are `ways`. All else was looked at. */
  watchNew(ways: readonly Loop[]): void {
    this.#found = this.#found.filter((loop) => this.#set(loop, true));
    // A look at all is to come.
    if (ways.length === 0 || this.#walkedMs === Number.NEGATIVE_INFINITY) return;
    const isWalking = this.#walk !== undefined;
    this.#walk = followedBy(this.#walk, ways);
    if (!isWalking && !this.#isStopped)
      this.#parts.slowWheel.set(this, FIRST_MS + NEW_SPREAD_MS * this.#parts.random());
  }

  catch(bytes: Uint8Array, at: number): boolean {
    const number = this.#names.numberOf(bytes, at);
    if (number === 0) return false;
    const probe = this.#outstanding.get(number);
    if (probe !== undefined && !probe.hasReturned) this.#onReturn(probe);
    return true;
  }

  onBack(): void {
    this.onOverdue();
  }

  onOverdue(): void {
    if (this.#isTroubled || this.#isStopped) return;
    this.#isTroubled = true;
    this.#comeAgain(this.#parts.clock.nowMs());
  }

  stop(): void {
    this.#isStopped = true;
    this.#parts.slowWheel.clear(this);
    for (const probe of this.#outstanding.values()) this.#parts.wheel.clear(probe);
    this.#outstanding.clear();
  }

  override onTimeout(nowMs: number): void {
    if (this.#found.length > 0 && nowMs - this.#askedAgainMs >= AGAIN_MS) {
      this.#askedAgainMs = nowMs;
      for (const loop of this.#found.slice(0, PROBES_AT_ONCE)) this.#ask(loop);
      // The others' turn comes next.
      this.#found.push(...this.#found.splice(0, PROBES_AT_ONCE));
    }
    const sinceMs = nowMs - this.#walkedMs;
    if (this.#walk === undefined && (sinceMs >= CALM_MS || (this.#isTroubled && sinceMs >= TROUBLED_MS))) {
      this.#walk = this.#ways();
      this.#walkedMs = nowMs;
      this.#isTroubled = false;
    }
    this.#walkOn();
    this.#comeAgain(nowMs);
  }

  #comeAgain(nowMs: number): void {
    if (!this.#isStopped) this.#parts.slowWheel.set(this, this.#walk === undefined ? this.#restMs(nowMs) : NEXT_MS);
  }

  #restMs(nowMs: number): number {
    const walkMs = this.#isTroubled ? TROUBLED_MS : CALM_MS * (0.75 + this.#parts.random() / 2);
    const delayMs = Math.max(this.#walkedMs + walkMs - nowMs, NEXT_MS);
    return this.#found.length > 0 ? Math.min(delayMs, AGAIN_MS) : delayMs;
  }

  #walkOn(): void {
    for (let i = 0; i < PROBES_AT_ONCE && this.#walk !== undefined; i++) {
      const step = this.#walk.next();
      if (step.done === true) this.#walk = undefined;
      else if (this.#isAsked(step.value)) this.#ask(step.value);
    }
  }

  *#ways(): Generator<Loop, void> {
    for (const [zone, { selection }] of this.#forwarders) {
      for (const upstream of selection.upstreams) {
        if (!upstream.isDown && !selection.looped.has(upstream)) yield { zone, upstream };
      }
    }
  }

  #isAsked({ zone, upstream }: Loop): boolean {
    return this.#forwarders.get(zone)?.selection.upstreams.includes(upstream) === true;
  }

  #ask({ zone, upstream }: Loop): void {
    const number = this.#names.next();
    const name = this.#names.name(number, zone);
    if (name === undefined) return;
    const probe = new LoopProbe({ zone, upstream, number, name }, (isAnswered) => {
      this.#parts.wheel.clear(probe);
      this.#outstanding.delete(number);
      if (isAnswered && !probe.hasReturned) this.#onClean(probe);
    });
    this.#outstanding.set(number, probe);
    this.#parts.wheel.set(probe, PROBE_MS);
    if (!upstream.ask(probe)) probe.onUnreachable();
  }

  #onReturn(probe: LoopProbe): void {
    probe.hasReturned = true;
    const { zone, upstream } = probe;
    const known = this.#find(probe);
    if (known !== undefined) {
      known.clean = 0;
      return;
    }
    const loop = { zone, upstream, clean: 0 };
    if (!this.#set(loop, true)) return;
    this.#found.push(loop);
    this.#comeAgain(this.#parts.clock.nowMs());
    const fields = { upstream: upstream.name, zone };
    this.#parts.log.warn(fields, 'Upstream leads back to this agent, and is not asked for this zone');
  }

  #onClean(probe: LoopProbe): void {
    const known = this.#find(probe);
    if (known === undefined || ++known.clean < CLEAN_ENOUGH) return;
    const { zone, upstream } = probe;
    this.#found = this.#found.filter((loop) => loop !== known);
    this.#set(known, false);
    this.#parts.log.info({ upstream: upstream.name, zone }, 'Upstream leads back to this agent no more');
  }

  #find({ zone, upstream }: Loop): WatchedLoop | undefined {
    return this.#found.find((loop) => loop.zone === zone && loop.upstream === upstream);
  }

  /** False where the zone does not use the upstream any more. */
  #set({ zone, upstream }: Loop, isLooped: boolean): boolean {
    if (!this.#isAsked({ zone, upstream })) return false;
    const { selection } = this.#forwarders.get(zone)!;
    if (isLooped) selection.looped.add(upstream);
    else selection.looped.delete(upstream);
    return true;
  }
}

function* followedBy(walk: Iterator<Loop> | undefined, ways: readonly Loop[]): Generator<Loop, void> {
  for (let step = walk?.next(); step !== undefined && step.done !== true; step = walk!.next()) yield step.value;
  yield* ways;
}
