import type { AnswerCache } from '../cache/answer-cache.ts';
import { type CacheTraffic, HIT_DENIAL, HIT_SUCCESS } from '../cache/cache-traffic.ts';
import { KIND_POSITIVE, STATE_REFRESHING } from '../cache/entry-memory.ts';
import { SOURCE_CACHE, SOURCE_LOCAL } from '../metrics/traffic.ts';
import { NO_ZONE } from '../metrics/zone-ids.ts';
import { RCODE_BADVERS, RCODE_FORMERR, RCODE_NXDOMAIN } from '../wire/constants.ts';
import { QUERY_DROP, QUERY_FORMERR, QUERY_OK, QUERY_RELAY, QueryView } from '../wire/query.ts';
import type { Reply } from '../wire/reply.ts';
import type { Client } from './client.ts';
import { Completion, type CompletionParts, type NaturalAnswers, NOT_COMPLETED } from './completion/completion.ts';
import type { Composer } from './composer.ts';
import type { QueryLog } from './query-log.ts';
import type { PassThrough } from './relay/pass-through.ts';
import type { Resolver } from './resolver.ts';
import { ANSWERED, DROPPED, type Responder } from './responder.ts';

const NO_OPTIONS = new Uint8Array(0);

export interface CacheResponderParts {
  cache: AnswerCache;
  cacheTraffic: CacheTraffic;
  composer: Composer;
  passThrough: PassThrough;
  queryLog: QueryLog;
  resolver: Resolver;
  /** Of the names in the cache's keys. */
  seed: number;
}

/** What `Completion` needs that nothing else here does. */
export type SearchParts = Pick<
  CompletionParts,
  'clock' | 'cluster' | 'counts' | 'events' | 'pods' | 'services' | 'wheel'
>;

/** The way of every message: out of the cache in the same call where a live entry answers it, else to the resolver. */
export class CacheResponder implements NaturalAnswers, Responder {
  readonly #parts: CacheResponderParts;
  #completion: Completion | undefined;
  readonly #cache: AnswerCache;
  readonly #cacheTraffic: CacheTraffic;
  readonly #composer: Composer;
  readonly #passThrough: PassThrough;
  readonly #resolver: Resolver;
  readonly #query: QueryView;
  readonly #queryLog: QueryLog;

  constructor(parts: CacheResponderParts) {
    const { cache, cacheTraffic, composer, passThrough, queryLog, resolver, seed } = parts;
    this.#parts = parts;
    this.#cache = cache;
    this.#cacheTraffic = cacheTraffic;
    this.#composer = composer;
    this.#queryLog = queryLog;
    this.#passThrough = passThrough;
    this.#resolver = resolver;
    this.#query = new QueryView(seed);
  }

  /** Searches of pods are completed from the next query on, with these parts. */
  completeSearches(search: SearchParts): void {
    const { cache, cacheTraffic, composer, queryLog, resolver, seed } = this.#parts;
    const own = { cache, cacheTraffic, composer, natural: this, names: resolver, queryLog, seed };
    this.#completion = new Completion({ ...own, ...search });
  }

  /** Undefined: searches are not completed. */
  get completion(): Completion | undefined {
    return this.#completion;
  }

  respond(bytes: Uint8Array, start: number, end: number, nowMs: number, client: Client, reply: Reply): number {
    const query = this.#query;
    const verdict = query.read(bytes, start, end);
    if (verdict !== QUERY_OK) return this.#divert(verdict, end - start, nowMs, client, reply);
    const at = this.#cache.findFresh(query, nowMs);
    const completion = this.#completion;
    // What is known to exist is nobody's search that goes on.
    if (completion === undefined || (at !== -1 && this.#cache.memory.rcode(at) !== RCODE_NXDOMAIN)) {
      return this.#answer(query, at, nowMs, client, reply);
    }
    const outcome = completion.complete(query, nowMs, client, reply);
    return outcome === NOT_COMPLETED ? this.answerNaturally(query, nowMs, client, reply) : outcome;
  }

  answerNaturally(query: QueryView, nowMs: number, client: Client, reply: Reply): number {
    return this.#answer(query, this.#cache.findFresh(query, nowMs), nowMs, client, reply);
  }

  /** `at`: of the live entry that was just found, or -1. */
  #answer(query: QueryView, at: number, nowMs: number, client: Client, reply: Reply): number {
    if (at === -1) return this.#resolver.resolve(query, nowMs, client, reply);
    const { memory } = this.#cache;
    const zone = memory.zone(at);
    if (this.#queryLog.isOn) this.#queryLog.note(query, zone, client);
    client.traffic.request(zone, query.type, query.end - query.start, query.dnssecOk);
    this.#composer.compose(query, memory, at, nowMs, client.isStream, 'cache', reply);
    client.traffic.response(zone, memory.rcode(at), reply.length, 0, SOURCE_CACHE);
    this.#cacheTraffic.count(zone, memory.kind(at) === KIND_POSITIVE ? HIT_SUCCESS : HIT_DENIAL);
    const hits = memory.countHit(at);
    if (nowMs >= memory.refreshAtMs(at) && !memory.has(at, STATE_REFRESHING)) this.#refresh(query, at, hits);
    return ANSWERED;
  }

  #refresh(query: QueryView, at: number, hits: number): void {
    const least = this.#resolver.prefetchHits(query);
    if (least > 0 && hits >= least) this.#resolver.prefetch(query, at);
  }

  #divert(verdict: number, bytes: number, nowMs: number, client: Client, reply: Reply): number {
    if (verdict === QUERY_DROP) return DROPPED;
    const query = this.#query;
    if (verdict === QUERY_RELAY) return this.#passThrough.pass(query, nowMs, client, reply);
    const rcode = verdict === QUERY_FORMERR ? RCODE_FORMERR : RCODE_BADVERS;
    this.#composer.composeRcode(query, rcode, NO_OPTIONS, reply);
    client.traffic.request(NO_ZONE, query.type, bytes, query.dnssecOk);
    client.traffic.response(NO_ZONE, rcode, reply.length, 0, SOURCE_LOCAL);
    return ANSWERED;
  }
}
