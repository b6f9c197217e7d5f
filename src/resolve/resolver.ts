import type { AnswerCache } from '../cache/answer-cache.ts';
import { HIT_DENIAL, HIT_SUCCESS, MISS, PREFETCH, SERVED_STALE } from '../cache/cache-traffic.ts';
import { KIND_POSITIVE, STATE_REFRESHING } from '../cache/entry-memory.ts';
import { dnssecBits, keyOf } from '../cache/key.ts';
import type { Clock } from '../core/clock.ts';
import type { TimerWheel } from '../core/timer-wheel.ts';
import { SOURCE_CACHE } from '../metrics/traffic.ts';
import type { RouteTable } from '../route/route-table.ts';
import type { KnownServices } from '../search/known-services.ts';
import type { LoopTrap } from '../upstream/loops.ts';
import { CLASS_IN, FLAG_RD, HEADER_LENGTH, RCODE_SERVFAIL } from '../wire/constants.ts';
import type { QueryView } from '../wire/query.ts';
import type { Reply } from '../wire/reply.ts';
import type { Client } from './client.ts';
import { NO_UPSTREAM, OVERLOADED } from './extended-errors.ts';
import type { Flight, FlightControl } from './flight.ts';
import type { Flights } from './flights.ts';
import { Following, type NameAnswers } from './following.ts';
import type { Freshness } from './freshness/freshness.ts';
import { LocalReplies, type LocalRepliesParts } from './local-replies.ts';
import type { QueryLog } from './query-log.ts';
import { ANSWERED, DROPPED, HELD } from './responder.ts';
import { LookAhead, type LookUps } from './search-path/look-ahead.ts';
import { IS_ABSENT, NO_FINDING, SearchLocal } from './search-path/search-local.ts';
import { StaleRule } from './stale-rule.ts';
import type { Zone } from './zone.ts';

export interface ResolverParts extends LocalRepliesParts {
  cache: AnswerCache;
  clock: Clock;
  flights: Flights;
  /** Undefined: nothing is known of the cluster. */
  freshness?: Freshness | undefined;
  control: FlightControl;
  loops: LoopTrap;
  queryLog: QueryLog;
  /** Of the names in the cache's keys. */
  seed: number;
  wheel: TimerWheel;
  routes: RouteTable<Zone>;
  /** What the Kubernetes API says, where it is asked. */
  services: KnownServices;
}

/**
 * What the cache could not answer: local names at once, something stale where that is all there is, the rest by asking upstream, once for all
 * who ask the same.
 */
export class Resolver implements LookUps, NameAnswers {
  readonly search: SearchLocal;
  readonly ahead: LookAhead;
  readonly #parts: ResolverParts;
  readonly #replies: LocalReplies;
  readonly #following: Following;
  readonly #staleRule: StaleRule;
  #routes: RouteTable<Zone>;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
    this.#routes = parts.routes;
    const { clock, flights, seed } = parts;
    this.#replies = new LocalReplies(parts);
    this.#staleRule = new StaleRule(parts);
    this.#following = new Following({ clock, flights, names: this, seed });
    this.search = new SearchLocal(parts);
    const { cuts } = this.search;
    const onUnknown = (query: QueryView, zone: Zone): void => this.search.askNamespace(query, zone);
    this.ahead = new LookAhead({ cache: parts.cache, clock, cuts, names: this, onUnknown, seed });
  }

  /** From the next question on; questions in flight end as they began. */
  replaceRoutes(routes: RouteTable<Zone>): void {
    this.#routes = routes;
  }

  /** ANSWERED, HELD or DROPPED, as `Responder.respond` has them. `query` is a whole question that the cache was just asked for and has no live entry of. */
  resolve(query: QueryView, nowMs: number, client: Client, reply: Reply): number {
    const zone = this.#zoneOf(query);
    client.traffic.request(zone.id, query.type, query.end - query.start, query.dnssecOk);
    if (this.#parts.loops.catch(query.bytes, query.start + HEADER_LENGTH)) {
      this.#replies.sayProbed(query, zone, client, reply);
      return ANSWERED;
    }
    if (this.#parts.queryLog.isOn) this.#parts.queryLog.note(query, zone.id, client);
    this.search.finding = NO_FINDING;
    const outcome = this.#answer(query, zone, nowMs, client, reply);
    const { finding } = this.search;
    if (finding !== NO_FINDING) this.ahead.consider(query, zone, finding === IS_ABSENT, nowMs);
    return outcome;
  }

  lookUp(query: QueryView, nowMs: number, client: Client, reply: Reply): number {
    const { cache, composer } = this.#parts;
    const at = cache.findFresh(query, nowMs);
    if (at === -1) return this.#answer(query, this.#zoneOf(query), nowMs, client, reply);
    composer.compose(query, cache.memory, at, nowMs, client.isStream, 'cache', reply);
    return ANSWERED;
  }

  answerName(query: QueryView, isRefresh: boolean, nowMs: number, client: Client, reply: Reply): number {
    const { cache, composer } = this.#parts;
    const { memory } = cache;
    const at = cache.findFresh(query, nowMs);
    if (at === -1 || (isRefresh && nowMs >= memory.refreshAtMs(at))) {
      return this.#answer(query, this.#enclosing(query), nowMs, client, reply);
    }
    composer.compose(query, memory, at, nowMs, client.isStream, 'cache', reply);
    return ANSWERED;
  }

  /** What is not in the cache, or is about to end. */
  #answer(query: QueryView, zone: Zone, nowMs: number, client: Client, reply: Reply): number {
    if (this.#replies.answer(query, zone, nowMs, client, reply)) return ANSWERED;
    const { cache, cacheTraffic, freshness } = this.#parts;
    const leased = freshness === undefined ? -1 : freshness.renew(nowMs);
    if (leased !== -1) return this.#answerLeased(query, zone, leased, nowMs, client, reply);
    const expired = cache.expiredOfLast(nowMs, zone.cache.staleSeconds);
    if (this.search.concerns(query, zone) && this.search.answer(query, zone, nowMs, client, reply)) return ANSWERED;
    cacheTraffic.count(zone.id, MISS);
    if (expired !== -1) {
      const isPostponed = cache.memory.recheckAtMs(expired) > nowMs;
      if (this.#staleRule.mayServe(expired, query, zone, nowMs)) {
        if (isPostponed) return this.#answerStale(query, zone, expired, client, reply);
        if (zone.forwarder!.isAllDown) {
          this.#begin(query, zone, true);
          return this.#answerStale(query, zone, expired, client, reply);
        }
      } else if (isPostponed) {
        return this.#answerFailure(query, zone, NO_UPSTREAM, client, reply);
      }
    }
    return this.#ask(query, zone, nowMs, expired, client, reply);
  }

  /** Asks again for a live entry that is popular and near its end. No client waits for it. */
  prefetch(query: QueryView, at: number): void {
    const { cache, cacheTraffic } = this.#parts;
    const zone = this.#zoneOf(query);
    if (zone.forwarder === undefined || zone.forwarder.isAllDown) return;
    if (!this.#begin(query, zone, true)) return;
    cache.memory.mark(at, STATE_REFRESHING);
    cacheTraffic.count(zone.id, PREFETCH);
  }

  /** Asks what nobody waits for, where an upstream is there, has room and is not being asked already. False where it is not asked. */
  askAhead(query: QueryView): boolean {
    const zone = this.#zoneOf(query);
    if (zone.isRefused || zone.forwarder === undefined || zone.forwarder.isAllDown) return false;
    return this.#begin(query, zone, true);
  }

  /** Hits after which an entry of this question's zone is worth a prefetch; 0: never. */
  prefetchHits(query: QueryView): number {
    return this.#zoneOf(query).cache.prefetchHits;
  }

  /** Of the zone that the question is counted under. */
  zoneId(query: QueryView): number {
    return this.#zoneOf(query).id;
  }

  #zoneOf(query: QueryView): Zone {
    const zone = this.#enclosing(query);
    if (zone.aliases === undefined || query.class !== CLASS_IN) return zone;
    return zone.aliases.find(query.bytes, query.start + HEADER_LENGTH, query.nameEnd) ?? zone;
  }

  #enclosing(query: QueryView): Zone {
    // The root zone is always there.
    return this.#routes.lookup(query.bytes, query.start + HEADER_LENGTH, query.nameEnd)!;
  }

  #ask(query: QueryView, zone: Zone, nowMs: number, expired: number, client: Client, reply: Reply): number {
    const { flights, wheel } = this.#parts;
    const canBridge = expired !== -1 && this.#staleRule.mayServe(expired, query, zone, nowMs);
    const joined = (query.flags & FLAG_RD) === 0 ? undefined : flights.find(query, cacheKey(query));
    if (joined?.isPatienceOver && canBridge) return this.#answerStale(query, zone, expired, client, reply);
    if (!flights.hasRoomToWait() || (joined === undefined && !flights.hasRoom(false))) {
      if (canBridge) return this.#answerStale(query, zone, expired, client, reply);
      return this.#answerFailure(query, zone, OVERLOADED, client, reply);
    }
    const sink = client.hold();
    if (sink === undefined) return DROPPED;
    const flight = joined ?? this.#depart(query, zone, false);
    if (joined !== undefined) {
      flights.coalesced++;
      this.ahead.onJoin(joined);
    }
    flights.wait(flight, query, client, sink, nowMs);
    if (canBridge && !flight.isSet && !flight.isPatienceOver) wheel.set(flight, zone.cache.staleAfterMs);
    return HELD;
  }

  /** Begins a flight that nobody waits for, where it is not under way already and there is room. */
  #begin(query: QueryView, zone: Zone, isRefresh: boolean): boolean {
    const { flights } = this.#parts;
    if (flights.find(query, cacheKey(query)) !== undefined || !flights.hasRoom(isRefresh)) return false;
    this.#depart(query, zone, isRefresh);
    return true;
  }

  #depart(query: QueryView, zone: Zone, isRefresh: boolean): Flight {
    const { clock, flights, control } = this.#parts;
    const flight = flights.begin(query, zone, cacheKey(query), isRefresh, control);
    if (zone.target !== undefined) this.#following.follow(flight, zone.target);
    else if (isRefresh || !zone.isCluster || !this.search.depart(flight, clock.nowMs())) zone.forwarder!.ask(flight);
    return flight;
  }

  #answerStale(query: QueryView, zone: Zone, at: number, client: Client, reply: Reply): number {
    const { cache, cacheTraffic, composer } = this.#parts;
    composer.composeStale(query, cache.memory, at, zone.cache.staleTtlSeconds, client.isStream, reply);
    cacheTraffic.count(zone.id, SERVED_STALE);
    client.traffic.response(zone.id, cache.memory.rcode(at), reply.length, 0, SOURCE_CACHE);
    return ANSWERED;
  }

  /** A hit, of which nothing is left to the cache but to let it live on. */
  #answerLeased(query: QueryView, zone: Zone, at: number, nowMs: number, client: Client, reply: Reply): number {
    const { cache, cacheTraffic, composer } = this.#parts;
    const { memory } = cache;
    composer.compose(query, memory, at, nowMs, client.isStream, 'cache', reply);
    cacheTraffic.count(zone.id, memory.kind(at) === KIND_POSITIVE ? HIT_SUCCESS : HIT_DENIAL);
    client.traffic.response(zone.id, memory.rcode(at), reply.length, 0, SOURCE_CACHE);
    const isPopular = memory.countHit(at) >= zone.cache.prefetchHits && zone.cache.prefetchHits > 0;
    if (isPopular && nowMs >= memory.refreshAtMs(at) && !memory.has(at, STATE_REFRESHING)) this.prefetch(query, at);
    return ANSWERED;
  }

  #answerFailure(query: QueryView, zone: Zone, extendedError: Uint8Array, client: Client, reply: Reply): number {
    this.#replies.say(query, zone, RCODE_SERVFAIL, extendedError, client, reply);
    return ANSWERED;
  }
}

function cacheKey(query: QueryView): number {
  return keyOf(query.nameHash, query.type, query.class, dnssecBits(query.dnssecOk, query.flags));
}
