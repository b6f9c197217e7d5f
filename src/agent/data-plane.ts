import { randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import { AnswerCache } from '../cache/answer-cache.ts';
import { CacheTraffic } from '../cache/cache-traffic.ts';
import { registerCacheMetrics } from '../cache/metrics.ts';
import type { Config, SocketAddress } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { atOnce, inSlices, type Steps } from '../core/slices.ts';
import { TimerWheel } from '../core/timer-wheel.ts';
import { TroubleLog } from '../core/trouble-log.ts';
import { packageVersion } from '../core/version.ts';
import type { Register } from '../metrics/register.ts';
import type { ZoneIds } from '../metrics/zone-ids.ts';
import { CacheResponder } from '../resolve/cache-responder.ts';
import { registerCompletionMetrics } from '../resolve/completion/completion-metrics.ts';
import { Composer } from '../resolve/composer.ts';
import { Delivery } from '../resolve/delivery.ts';
import { Flights } from '../resolve/flights.ts';
import { Freshness } from '../resolve/freshness/freshness.ts';
import { registerFreshnessMetrics } from '../resolve/freshness/freshness-metrics.ts';
import { LocalAnswers } from '../resolve/local-answers.ts';
import { registerNodeNameMetrics, registerResolveMetrics } from '../resolve/metrics.ts';
import { NodeNames } from '../resolve/node-names.ts';
import { QueryLog } from '../resolve/query-log.ts';
import { PassThrough } from '../resolve/relay/pass-through.ts';
import { registerRelayMetrics } from '../resolve/relay/relay-metrics.ts';
import { Resolver } from '../resolve/resolver.ts';
import { registerSearchMetrics } from '../resolve/search-path/search-metrics.ts';
import { ZoneFlush } from '../resolve/zone-flush.ts';
import { KnownServices } from '../search/known-services.ts';
import type { PodClients } from '../search/pod-clients.ts';
import type { Asker } from '../upstream/ask.ts';
import { registerUpstreamMetrics } from '../upstream/metrics.ts';
import { Upstreams } from '../upstream/upstreams.ts';
import { CacheImage } from './cache-image.ts';
import { SearchCompletion } from './search-completion.ts';
import { changedNames, testFor } from './zone-changes.ts';
import { zoneTable, zoneTableInSteps } from './zone-table.ts';

export interface DataPlaneParts {
  clock: Clock;
  log: Logger;
  zones: ZoneIds;
}

/** What stands between the listeners and the upstreams, wired. */
export class DataPlane {
  readonly cache: AnswerCache;
  readonly cacheTraffic = new CacheTraffic();
  readonly services = new KnownServices();
  /** Undefined: they are not asked for. */
  readonly nodeNames: NodeNames | undefined;
  readonly image: CacheImage;
  readonly flights = new Flights();
  readonly freshness: Freshness;
  readonly flush: ZoneFlush;
  readonly upstreams: Upstreams;
  readonly responder: CacheResponder;
  /** Undefined: searches are not completed. */
  readonly #completion: SearchCompletion | undefined;
  readonly #delivery: Delivery;
  readonly #passThrough: PassThrough;
  readonly #resolver: Resolver;
  readonly #troubles: TroubleLog;
  readonly #zones: ZoneIds;
  readonly #queryLog: QueryLog;
  #forwarders: ReadonlyMap<string, Asker>;
  #config: Config;
  /** Names that the last swap answers otherwise than the one before. */
  #changed: ReadonlySet<string> = new Set();

  constructor(config: Config, { clock, log, zones }: DataPlaneParts) {
    const { cacheTraffic, flights } = this;
    const wheel = new TimerWheel({ clock });
    const composer = new Composer();
    // Secret, so that nobody outside can make names that push others out of the index.
    const seed = randomInt(2 ** 32);
    const cache = new AnswerCache({ bytes: config.cacheBytes });
    this.cache = cache;
    this.image = new CacheImage({ cache, clock, seed, ids: zones });
    this.#zones = zones;
    this.#config = config;
    this.upstreams = new Upstreams({ clock, wheel, log });
    this.#forwarders = this.upstreams.apply(config.zones);
    const { clusterDomain, hasLease } = config;
    const freshness = new Freshness({
      cache,
      clock,
      clusterDomain,
      flights,
      hasLease,
      seed,
      services: this.services,
      wheel,
    });
    this.freshness = freshness;
    this.#delivery = new Delivery({ cache, cacheTraffic, clock, composer, flights, freshness, seed, wheel });
    this.#queryLog = new QueryLog(log);
    const local = new LocalAnswers({ version: packageVersion(), nodeName: process.env['NODE_NAME'] ?? hostname() });
    this.flush = new ZoneFlush(cache, flights);
    this.nodeNames = config.hasNodeNames ? new NodeNames({ cache, flights }) : undefined;
    const routes = zoneTable(config, this.#forwarders, zones);
    this.flush.replaceRoutes(routes, hasAliases(config));
    this.image.replaceRoutes(config, routes);
    this.#resolver = new Resolver({
      cache,
      cacheTraffic,
      clock,
      composer,
      flights,
      freshness,
      control: this.#delivery,
      local,
      loops: this.upstreams.loops,
      nodeNames: this.nodeNames,
      queryLog: this.#queryLog,
      seed,
      wheel,
      routes,
      services: this.services,
    });
    this.#resolver.search.isOn = config.search !== 'off';
    freshness.ask = (query) => this.#resolver.askAhead(query);
    if (config.kubernetes !== 'off') freshness.start();
    this.#troubles = new TroubleLog({ log, clock });
    const { flush } = this;
    this.#passThrough = new PassThrough({ clock, composer, flush, log, routes, troubles: this.#troubles, wheel });
    this.responder = new CacheResponder({
      cache,
      cacheTraffic,
      composer,
      passThrough: this.#passThrough,
      resolver: this.#resolver,
      seed,
      queryLog: this.#queryLog,
    });
    const { responder, services } = this;
    const isCompleting = config.search === 'complete';
    const completion = isCompleting ? new SearchCompletion({ clock, log, responder, services, wheel }) : undefined;
    completion?.apply(config);
    if (completion !== undefined)
      freshness.onChange = (namespace, service) => completion.serviceChanged(namespace, service);
    this.#completion = completion;
    this.#queryLog.sample(atOnce(this.#samples(config)));
  }

  /**
   * Swaps zones and upstreams whole, between two queries; what did not change keeps its connections and its cache. Many zones are made ready in slices, and
   * the old ones answer meanwhile. One call at a time.
   */
  apply(config: Config): Promise<void> {
    return inSlices(this.#swap(config));
  }

  *#swap(config: Config): Steps<void> {
    const upstreams = yield* this.upstreams.prepare(config.zones);
    const routes = yield* zoneTableInSteps(config, upstreams.forwarders, this.#zones);
    const changed = yield* changedNames(this.#config, config);
    // What the last swap dropped may still be on its way out of the cache.
    if (this.cache.isTesting) for (const name of this.#changed) changed.add(name);
    const isChanged = changed.size === 0 ? undefined : yield* testFor(changed, routes);
    const samples = yield* this.#samples(config);
    this.upstreams.take(upstreams);
    this.#forwarders = upstreams.forwarders;
    this.#resolver.replaceRoutes(routes);
    this.#passThrough.replaceRoutes(routes);
    this.flush.replaceRoutes(routes, hasAliases(config));
    this.image.replaceRoutes(config, routes);
    this.freshness.setClusterDomain(config.clusterDomain);
    this.#queryLog.sample(samples);
    if (isChanged !== undefined) this.flush.flushWhere(isChanged);
    this.#changed = changed;
    this.#config = config;
    this.#completion?.apply(config);
  }

  /** Told of this node's pods. Undefined: nothing has a use for them. */
  get pods(): PodClients | undefined {
    return this.#completion?.pods;
  }

  /** Local names, which no zone of the configuration has, are sampled as the zones are that say nothing of it. */
  *#samples({ zones, logSample }: Config): Steps<number[]> {
    const every = new Array<number>(this.#zones.size).fill(logSample);
    for (const zone of zones) {
      every[this.#zones.id(zone.zone)] = zone.logSample;
      yield;
    }
    return every;
  }

  /** The way out of each zone. */
  get forwarders(): Iterable<Asker> {
    return this.#forwarders.values();
  }

  /** Whether there is anything to answer with: an upstream that has answered, or an entry. That nobody answers is kept for a while, too, and is nothing. */
  get hasAnswers(): boolean {
    if (this.cache.size > this.cache.denials) return true;
    for (const { hasReplied } of this.upstreams.list()) if (hasReplied) return true;
    return false;
  }

  /** `first`: the first address that is really listened on. */
  registerMetrics(register: Register, first: SocketAddress): void {
    const server = `dns://${formatSocketAddress(first)}`;
    registerCacheMetrics(register, { cache: this.cache, traffic: this.cacheTraffic, zones: this.#zones, server });
    const { flights, cacheTraffic: traffic } = this;
    registerResolveMetrics(register, { flights, delivery: this.#delivery, traffic, zones: this.#zones });
    if (this.#config.kubernetes !== 'off') registerFreshnessMetrics(register, this.freshness);
    if (this.nodeNames !== undefined) registerNodeNameMetrics(register, this.nodeNames);
    if (this.#completion !== undefined) {
      const { counts, pods } = this.#completion;
      registerCompletionMetrics(register, { counts, pods, server });
    }
    registerRelayMetrics(register, this.#passThrough.counts, this.flush.counts);
    const { search, ahead } = this.#resolver;
    if (search.isOn) registerSearchMetrics(register, search, ahead);
    registerUpstreamMetrics(register, this.upstreams);
  }

  close(): void {
    this.#completion?.close();
    this.#passThrough.close();
    this.#troubles.close();
    this.upstreams.close();
  }
}

function hasAliases({ zones }: Config): boolean {
  return zones.some(({ aliases }) => aliases.length > 0);
}
