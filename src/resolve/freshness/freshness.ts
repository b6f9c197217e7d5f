import type { AnswerCache } from '../../cache/answer-cache.ts';
import type { CacheQuestion } from '../../cache/cache-question.ts';
import { EntryDigest } from '../../cache/entry-digest.ts';
import { endWithin, liveUntil } from '../../cache/entry-life.ts';
import { KIND_NEGATIVE, KIND_POSITIVE, STATE_KEPT } from '../../cache/entry-memory.ts';
import { dnssecBits, keyOf } from '../../cache/key.ts';
import type { CachePolicy } from '../../config/config.ts';
import { CLUSTER_DEFAULTS } from '../../config/zone-defaults.ts';
import type { Clock } from '../../core/clock.ts';
import { inSlices } from '../../core/slices.ts';
import { Alarm, type TimerWheel } from '../../core/timer-wheel.ts';
import type { KnownServices } from '../../search/known-services.ts';
import { CLASS_IN, HEADER_LENGTH } from '../../wire/constants.ts';
import type { QueryView } from '../../wire/query.ts';
import type { Flights } from '../flights.ts';
import type { Zone } from '../zone.ts';
import { type ChangedService, ChangedServices, REMEMBERED_MS } from './changed-services.ts';
import { DoubtfulDenials } from './doubtful-denials.ts';
import { Lease, NOTHING } from './lease.ts';
import { BURST_GAP_MS, ReAsking, SETTLING_MS } from './re-asking.ts';
import {
  ALIAS_DENIALS,
  NO_GROUP,
  namespaceGroup,
  REVERSE_DENIALS,
  ServiceGroups,
  serviceGroup,
} from './service-groups.ts';
import { ServiceNotes } from './service-notes.ts';

/**
 * Of answers that a cluster DNS gives while it may not have heard of a change: they live as long as the change is old, so that who asks on hears of it soon, and at most for a
 * second, which is what clients are told.
 */
const UNSETTLED_SECONDS = 1;
const UNSETTLED_LEAST_MS = 50;
/** A "no" about a Service may live so long while its coming would be heard of. */
const FOLLOWED_DENIAL_SECONDS = 30;
const USUAL_DENIAL_SECONDS = CLUSTER_DEFAULTS.cache.negativeMaxSeconds;
/** Changes of one Service in a second that are brought in as they come: a new one has two or three, with its endpoints. */
const DROPS_AT_ONCE = 5;
/** An entry with so many hits in its life is asked for again when it is dropped. */
const POPULAR_HITS = 2;

/** What has changed: the Service itself, or what stands behind it. The label `what`. */
export type ServiceChange = 'service' | 'endpoints';

export interface FreshnessParts {
  cache: AnswerCache;
  clock: Clock;
  flights: Flights;
  /** Of the names in the cache's keys. */
  seed: number;
  wheel: TimerWheel;
  /** `cluster.local`. */
  clusterDomain: string;
  hasLease: boolean;
  /** The Services that there are. */
  services: KnownServices;
}

/**
 * Keeps cached answers as fresh as the cluster is known to be. Each answer about a Service is noted when it is kept (by its own name, or the names that it leads to); a change of
 * that Service drops those at once, and what is being asked is not kept. For five seconds its answers live for one, since the cluster DNS may hear of the change
 * later than this process. Popular ones are asked for again, and with `--lease` those of which nothing is heard live on.
 *
 * A snapshot that was written before, and a process that stands by, are not told of drops: a successor listens itself, and what it has loaded lives for a few seconds then.
 */
export class Freshness {
  readonly #parts: FreshnessParts;
  readonly #notes: ServiceNotes;
  readonly #changed = new ChangedServices();
  readonly #doubtful: DoubtfulDenials;
  readonly #reAsking: ReAsking;
  readonly #lease: Lease | undefined;
  readonly #policies = new WeakMap<CachePolicy, CachePolicy>();
  #groups: ServiceGroups;
  #clusterDomain: string;
  #isFollowed = false;
  #wasFollowed = false;
  /** The change that is being brought in; `#mayReAsk`: what it drops may be asked for again. */
  #group = NO_GROUP;
  #nowMs = 0;
  #isGone = false;
  /** Where the entry lies that was kept last and that a change would find, or -1. */
  #notedAt = -1;
  #mayReAsk = true;
  /** Asks what no client waits for; the resolver's. */
  ask: (query: QueryView) => boolean = () => false;
  /** Told of each change, before what is cached of it is dropped. */
  onChange: ((namespace: string, service: string, what: ServiceChange) => void) | undefined = undefined;
  /** Read by the metrics. */
  readonly changes: Record<ServiceChange, number> = { service: 0, endpoints: 0 };
  readonly dropped = { positive: 0, negative: 0 };
  /** Answers that were let live for a second. */
  unsettled = 0;
  readonly #drop = (key: number): void => this.#dropEntry(key);
  readonly #isMeant = (bytes: Uint8Array, start: number, nameEnd: number): boolean =>
    this.#groups.ofName(bytes, start, nameEnd) === this.#group;

  constructor(parts: FreshnessParts) {
    this.#parts = parts;
    this.#notes = new ServiceNotes(parts);
    this.#doubtful = new DoubtfulDenials(parts);
    const digest = new EntryDigest();
    const { cache, clusterDomain, hasLease, seed, wheel } = parts;
    this.#clusterDomain = clusterDomain;
    this.#groups = new ServiceGroups(clusterDomain);
    this.#reAsking = new ReAsking({ wheel, digest, seed, ask: (query) => this.ask(query), keyOf: cacheKey });
    if (hasLease) this.#lease = new Lease({ cache, digest });
  }

  /** From now on answers that are kept are noted. Without it nothing of this costs anything. */
  start(): void {
    this.#parts.cache.onKeep = (at, question, isRestored) => this.#onKeep(at, question, isRestored);
  }

  /** Another configuration is in force. What is cached of the domain before is dropped by its zone. */
  setClusterDomain(clusterDomain: string): void {
    if (clusterDomain === this.#clusterDomain) return;
    this.#clusterDomain = clusterDomain;
    this.#groups = new ServiceGroups(clusterDomain);
  }

  /**
   * Something has changed: no answer about that Service that is older than this call is given from now on. In a roll-out, with more than a few changes in a second, those that follow
   * each other within a tenth of a second are brought in together at its end.
   */
  serviceChanged(namespace: string, service: string, what: ServiceChange): void {
    const { clock, wheel } = this.#parts;
    const group = serviceGroup(namespace, service);
    const nowMs = clock.nowMs();
    this.changes[what]++;
    const change = this.#changed.note(group, nowMs);
    this.onChange?.(namespace, service, what);
    if (change.isPending) return;
    const isCalm = what === 'endpoints';
    const waitMs = waitFor(change, nowMs);
    const bringIn = (atMs: number): void => {
      change.isPending = false;
      change.droppedMs = atMs;
      change.drops++;
      this.#isGone = this.#parts.services.isWhole && !this.#parts.services.hasNamed(namespace, service);
      this.#dropService(group, namespaceGroup(namespace), atMs);
      this.#reAsking.begin(group, isCalm, atMs);
    };
    if (waitMs <= 0) {
      bringIn(nowMs);
      return;
    }
    change.isPending = true;
    wheel.set(new Alarm(bringIn), waitMs);
  }

  /**
   * Whether changes of Services and EndpointSlices both arrive. Where they did and do not, what lived for longer on that account does so no more. When they do for the first time,
   * what is known already lives for a few seconds only: it may have changed before, and nobody heard of it. (After a gap, what has changed meanwhile comes as changes.)
   */
  setFollowed(isFollowed: boolean): void {
    const hasEnded = this.#isFollowed && !isFollowed;
    const hasBegun = isFollowed && !this.#wasFollowed;
    this.#isFollowed = isFollowed;
    if (isFollowed) this.#wasFollowed = true;
    this.#lease?.setFollowed(isFollowed, this.#parts.clock.nowMs());
    if (hasEnded) void inSlices(this.#notes.forEach(this.#shortenDenial));
    if (hasBegun) void inSlices(this.#notes.forEach(this.#shortenUnheard));
  }

  /** Which entry is about which Service. */
  get notes(): ServiceNotes {
    return this.#notes;
  }

  get reAsking(): ReAsking {
    return this.#reAsking;
  }

  get lease(): Lease | undefined {
    return this.#lease;
  }

  /** How an answer to `question` is kept. */
  policyOf(zone: Zone, question: QueryView): CachePolicy {
    const policy = zone.cache;
    // Whoever has said something else means it.
    if (!this.#isFollowed || !zone.isCluster || policy.negativeMaxSeconds !== USUAL_DENIAL_SECONDS) return policy;
    if (this.#groupOf(question) === NO_GROUP) return policy;
    let longer = this.#policies.get(policy);
    if (longer === undefined) {
      longer = { ...policy, negativeMaxSeconds: FOLLOWED_DENIAL_SECONDS };
      this.#policies.set(policy, longer);
    }
    return longer;
  }

  /** TTL above which nothing about `question` may be said, where its answer is not kept. */
  capSeconds(question: QueryView): number {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs - this.#changed.lastMs >= SETTLING_MS) return 0xffff_ffff;
    const group = this.#groupOf(question);
    return group !== NO_GROUP && this.#changed.ageMs(group, nowMs) < SETTLING_MS ? UNSETTLED_SECONDS : 0xffff_ffff;
  }

  /** What was said before to a question whose new answer is about to be kept, for `confirm`. */
  before(question: QueryView, nowMs: number): number {
    return this.#lease === undefined ? NOTHING : this.#lease.before(question, nowMs);
  }

  /** See `Lease.renew`. */
  renew(nowMs: number): number {
    return this.#lease === undefined ? -1 : this.#lease.renew(nowMs);
  }

  /** A new answer to `question` is kept at `at`: where it says the same as `before`, it may be leased. */
  confirm(at: number, question: QueryView, before: number, nowMs: number): void {
    const { memory } = this.#parts.cache;
    if (this.#lease === undefined || question.class !== CLASS_IN || memory.dnssecBits(at) !== 0) return;
    if (this.#notedAt !== at) return;
    this.#groups.read(memory, at);
    if (this.#groups.isOwn && !this.#doubtful.isDoubtful(at, this.#groups))
      this.#lease.confirm(at, before, this.#ageMs(nowMs), nowMs);
  }

  /**
   * Whether the entry at `at` is about a Service that there is no more. In a break of the watch what was known before counts: it is told of what was deleted before it is
   * followed again.
   */
  isOfGone(at: number): boolean {
    const { cache, services } = this.#parts;
    // Where they may not be watched it has none, and while they are listed not all.
    if (!services.isWhole) return false;
    this.#groups.read(cache.memory, at, services);
    return this.#groups.isOfGone;
  }

  #dropService(group: number, namespace: number, nowMs: number): void {
    const notes = this.#notes;
    this.#group = group;
    this.#nowMs = nowMs;
    notes.take(group, this.#drop);
    this.#mayReAsk = false;
    // A namespace with a Service exists.
    notes.take(namespace, this.#drop);
    for (const denials of [REVERSE_DENIALS, ALIAS_DENIALS]) notes.take(denials, this.#drop);
    this.#mayReAsk = true;
    this.#parts.flights.spoilWhere(this.#isMeant);
  }

  #onKeep(at: number, question: CacheQuestion, isRestored: boolean): void {
    const { cache, clock, services } = this.#parts;
    const { memory } = cache;
    const groups = this.#groups;
    groups.read(memory, at, isRestored && services.isCurrent ? services : undefined);
    if (groups.count === 0) return;
    const nowMs = clock.nowMs();
    if (this.#doubtful.mayBeAlias(at, groups)) groups.add(ALIAS_DENIALS);
    const isNoted = this.#notes.note(memory.key(at), groups);
    this.#notedAt = isNoted ? at : -1;
    // As if the last change were a second old: any may have been.
    const ageMs = Math.min(this.#ageMs(nowMs), isNoted ? Number.POSITIVE_INFINITY : UNSETTLED_SECONDS * 1000);
    if (isRestored) {
      const isOfGone = groups.isOfGone && memory.kind(at) === KIND_POSITIVE;
      if (ageMs < REMEMBERED_MS || isOfGone) cache.forget(at);
      else if (this.#wasFollowed) endWithin(memory, at, SETTLING_MS, nowMs);
      return;
    }
    if (ageMs < SETTLING_MS) this.#shorten(at, ageMs, nowMs);
    else if (this.#doubtful.isDoubtful(at, groups)) endWithin(memory, at, USUAL_DENIAL_SECONDS * 1000, nowMs);
    if (this.#reAsking.size > 0) this.#reAsking.kept(cacheKey(question), memory, at);
  }

  /** How long ago, in ms, the last change was of the groups that were read. */
  #ageMs(nowMs: number): number {
    const { groups, count } = this.#groups;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const group = groups[i]!;
      const isOfAny = group === REVERSE_DENIALS || group === ALIAS_DENIALS;
      const ageMs = isOfAny ? nowMs - this.#changed.lastMs : this.#changed.ageMs(group, nowMs);
      if (ageMs < least) least = ageMs;
    }
    return least;
  }

  #shorten(at: number, ageMs: number, nowMs: number): void {
    const { memory } = this.#parts.cache;
    const lifeMs = Math.min(Math.max(ageMs, UNSETTLED_LEAST_MS), UNSETTLED_SECONDS * 1000);
    if (memory.freshUntilMs(at) <= nowMs + lifeMs) return;
    this.unsettled++;
    liveUntil(memory, at, nowMs + lifeMs, UNSETTLED_SECONDS);
    // Of the last good answer it is when that is kept no longer.
    if (memory.has(at, STATE_KEPT)) return;
    // In the second half, as what lives for a second; before that a popular one is asked for again in any case.
    const isWhole = lifeMs === UNSETTLED_SECONDS * 1000;
    memory.setRefreshAtMs(at, isWhole ? nowMs + lifeMs / 2 : Number.POSITIVE_INFINITY);
  }

  #dropEntry(key: number): void {
    const { cache } = this.#parts;
    const { memory } = cache;
    const at = cache.entry(key);
    if (at === -1 || memory.isOutdated(at)) return;
    const nowMs = this.#nowMs;
    const isPopular = memory.hits(at) >= POPULAR_HITS && memory.freshUntilMs(at) > nowMs;
    if (isPopular && this.#mayReAsk && memory.dnssecBits(at) === 0) this.#reAsking.add(memory, at, this.#group);
    if (memory.kind(at) === KIND_POSITIVE) this.dropped.positive++;
    else this.dropped.negative++;
    if (this.#isGone) cache.forget(at);
    else cache.outdate(at, nowMs);
  }

  readonly #shortenDenial = (key: number): void => {
    const { cache, clock } = this.#parts;
    const { memory } = cache;
    const at = cache.entry(key);
    if (at === -1 || memory.kind(at) !== KIND_NEGATIVE) return;
    endWithin(memory, at, USUAL_DENIAL_SECONDS * 1000, clock.nowMs());
  };

  readonly #shortenUnheard = (key: number): void => {
    const { cache, clock, services } = this.#parts;
    const { memory } = cache;
    const at = cache.entry(key);
    if (at === -1) return;
    if (memory.kind(at) === KIND_POSITIVE && services.isCurrent && this.isOfGone(at)) cache.forget(at);
    else endWithin(memory, at, SETTLING_MS, clock.nowMs());
  };

  #groupOf({ bytes, start, nameEnd }: QueryView): number {
    return this.#groups.ofName(bytes, start + HEADER_LENGTH, nameEnd);
  }
}

/** How long a Service's answers stay after a change, in ms; 0 or less: not at all. */
function waitFor(change: ChangedService, nowMs: number): number {
  if (nowMs - change.dropsSinceMs >= 1000) {
    change.dropsSinceMs = nowMs;
    change.drops = 0;
  }
  return change.drops < DROPS_AT_ONCE ? 0 : change.droppedMs + BURST_GAP_MS - nowMs;
}

function cacheKey(question: CacheQuestion): number {
  return keyOf(question.nameHash, question.type, question.class, dnssecBits(question.dnssecOk, question.flags));
}
