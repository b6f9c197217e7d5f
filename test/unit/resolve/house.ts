import { zoneTable } from '../../../src/agent/zone-table.ts';
import { AnswerCache } from '../../../src/cache/answer-cache.ts';
import { CacheTraffic } from '../../../src/cache/cache-traffic.ts';
import type { CachePolicy, ZoneConfig } from '../../../src/config/config.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import { TimerWheel } from '../../../src/core/timer-wheel.ts';
import { TroubleLog } from '../../../src/core/trouble-log.ts';
import { Traffic } from '../../../src/metrics/traffic.ts';
import { ZoneIds } from '../../../src/metrics/zone-ids.ts';
import { mapAddress } from '../../../src/native/sockaddr.ts';
import { CacheResponder, type SearchParts } from '../../../src/resolve/cache-responder.ts';
import type { Client, ReplySink, ReplyStream, StreamSource } from '../../../src/resolve/client.ts';
import { CompletionCounts } from '../../../src/resolve/completion/completion-counts.ts';
import { Composer } from '../../../src/resolve/composer.ts';
import { Delivery } from '../../../src/resolve/delivery.ts';
import { Flights } from '../../../src/resolve/flights.ts';
import { Freshness } from '../../../src/resolve/freshness/freshness.ts';
import { LocalAnswers } from '../../../src/resolve/local-answers.ts';
import { NodeNames } from '../../../src/resolve/node-names.ts';
import { QueryLog } from '../../../src/resolve/query-log.ts';
import { PassThrough } from '../../../src/resolve/relay/pass-through.ts';
import { Resolver } from '../../../src/resolve/resolver.ts';
import { ANSWERED } from '../../../src/resolve/responder.ts';
import { ZoneFlush } from '../../../src/resolve/zone-flush.ts';
import { KnownServices } from '../../../src/search/known-services.ts';
import { PodClients } from '../../../src/search/pod-clients.ts';
import { ServiceEvents } from '../../../src/search/service-events.ts';
import type { Ask, Asker, Failure } from '../../../src/upstream/ask.ts';
import type { RelayTarget } from '../../../src/upstream/relay.ts';
import { decodeMessage as decodeWire, encodeMessage, type Message as WireMessage } from '../../../src/wire/codec.ts';
import { nameFromText } from '../../../src/wire/name.ts';
import { Reply } from '../../../src/wire/reply.ts';
import { decodeMessage, encodeQuestion, type Message, type QuestionOptions } from '../../client/message.ts';
import { FakeClock } from '../../fake-clock.ts';

export const CLUSTER: CachePolicy = {
  positiveMinSeconds: 0,
  positiveMaxSeconds: 30,
  negativeMinSeconds: 0,
  negativeMaxSeconds: 5,
  staleSeconds: 3600,
  staleTtlSeconds: 5,
  staleAfterMs: 100,
  prefetchHits: 2,
  keepLastGoodSeconds: 0,
};
export const OUTSIDE: CachePolicy = {
  ...CLUSTER,
  positiveMaxSeconds: 3600,
  negativeMaxSeconds: 30,
  staleTtlSeconds: 30,
  staleAfterMs: 1800,
};

/** What a test says of the zones, beyond what is usual. */
export interface HouseOptions {
  outside?: Partial<ZoneConfig>;
  cluster?: Partial<ZoneConfig>;
  /** More zones, that the outside upstream answers. */
  more?: readonly (Partial<ZoneConfig> & { zone: string })[];
  /** Searches of pods are completed: of those that the test tells `pods` of. */
  isCompleting?: boolean;
  log?: Logger;
  /** Of the names in the cache's keys. */
  seed?: number;
  /** `--search local`. */
  hasSearch?: boolean;
  /** What the Kubernetes API says. */
  services?: KnownServices;
  /** `--lease`. */
  hasLease?: boolean;
}

const USUAL: Omit<ZoneConfig, 'zone'> = {
  upstreams: [],
  policy: 'random',
  tryMs: 2000,
  totalMs: 5000,
  cache: OUTSIDE,
  hasAaaa: true,
  hosts: [],
  aliases: [],
  refuse: [],
  logSample: 0,
};

/** The way out, played by the test: it sees what is asked, and says when and what comes back. */
export class PlayedUpstream implements Asker {
  isAllDown = false;
  targets: readonly RelayTarget[] = [];
  readonly asked: Ask[] = [];

  ask(ask: Ask): void {
    this.asked.push(ask);
  }

  relayTargets(): readonly RelayTarget[] {
    return this.targets;
  }

  /** Answers the oldest question with these sections; the question is repeated. Flags: RA, and what is given. */
  answer(sections: WireMessage & { flags?: number }): void {
    const ask = this.asked.shift()!;
    const query = decodeWire(ask.message.subarray(0, ask.end));
    const bytes = encodeMessage({ flags: 0x0180, ...sections, type: 'response', questions: query.questions });
    this.#give(ask, bytes);
  }

  /** Answers the oldest question with these bytes after its header's counts and its question. */
  answerBytes(bytes: Uint8Array): void {
    this.#give(this.asked.shift()!, bytes);
  }

  fail(failure: Failure): void {
    this.asked.shift()!.onFailure(failure);
  }

  #give(ask: Ask, bytes: Uint8Array): void {
    // In the middle of a larger buffer, as it lies in a stream's chunk.
    const chunk = new Uint8Array(bytes.length + 50).fill(0xee);
    chunk.set(bytes, 25);
    ask.onAnswer(chunk, 25, 25 + bytes.length, { label: '192.0.2.1:53' });
    chunk.fill(0xdd);
  }
}

/** The resolve room with a real cache, a clock that the test moves, and upstreams that it plays. */
export class House {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel({ clock: this.clock, arm: () => {} });
  readonly cache: AnswerCache;
  readonly cacheTraffic = new CacheTraffic();
  readonly flights = new Flights();
  /** Of use after `start`. */
  readonly freshness: Freshness;
  readonly outside = new PlayedUpstream();
  readonly cluster = new PlayedUpstream();
  readonly traffic = new Traffic();
  readonly counts = new CompletionCounts();
  readonly events = new ServiceEvents();
  /** Not followed, unless the test says so. */
  readonly services: KnownServices;
  readonly pods = new PodClients(this.clock, { clusterDomain: 'cluster.local', searches: [] });
  readonly zones = new ZoneIds();
  readonly nodeNames: NodeNames;
  readonly resolver: Resolver;
  readonly queryLog: QueryLog;
  readonly delivery: Delivery;
  readonly responder: CacheResponder;
  readonly flush: ZoneFlush;
  readonly passThrough: PassThrough;
  readonly #reply = new Reply();

  constructor(bytes = 2 << 20, options: HouseOptions = {}) {
    const { seed = 12_345 } = options;
    this.services = options.services ?? new KnownServices();
    const { clock, wheel, cacheTraffic, flights } = this;
    const cache = new AnswerCache({ bytes });
    this.cache = cache;
    const composer = new Composer();
    const { hasLease = false } = options;
    const freshness = new Freshness({
      cache,
      clock,
      clusterDomain: 'cluster.local',
      flights,
      hasLease,
      seed,
      services: this.services,
      wheel,
    });
    this.freshness = freshness;
    const delivery = new Delivery({ cache, cacheTraffic, clock, composer, flights, freshness, seed, wheel });
    this.delivery = delivery;
    const local = new LocalAnswers({ version: '1.2.3', nodeName: 'node-1' });
    this.queryLog = new QueryLog(options.log ?? silentLogger);
    this.nodeNames = new NodeNames({ cache, flights });
    this.resolver = new Resolver({
      cache,
      cacheTraffic,
      clock,
      composer,
      flights,
      freshness,
      control: delivery,
      local,
      loops: { catch: () => false },
      nodeNames: this.nodeNames,
      queryLog: this.queryLog,
      seed,
      wheel,
      routes: this.#routes(options),
      services: this.services,
    });
    this.resolver.search.isOn = options.hasSearch === true;
    const { queryLog, resolver } = this;
    freshness.ask = (query) => resolver.askAhead(query);
    const log = options.log ?? silentLogger;
    this.flush = new ZoneFlush(cache, flights);
    const troubles = new TroubleLog({ log, clock, arm: () => () => {} });
    const routes = this.#routes(options);
    this.flush.replaceRoutes(routes, true);
    this.passThrough = new PassThrough({ clock, composer, flush: this.flush, log, routes, troubles, wheel });
    const { passThrough } = this;
    this.responder = new CacheResponder({
      cache,
      cacheTraffic,
      composer,
      passThrough,
      queryLog,
      resolver,
      seed,
    });
    if (options.isCompleting) this.responder.completeSearches(this.#search());
  }

  #search(): SearchParts {
    const { clock, counts, events, pods, services, wheel } = this;
    const zone = nameFromText('cluster.local.')!;
    return { clock, cluster: { zone, zoneLabels: 2 }, counts, events, pods, services, wheel };
  }

  /** Other zones from the next question on, as after a reload. */
  apply(options: HouseOptions): void {
    this.resolver.replaceRoutes(this.#routes(options));
  }

  #routes({ outside, cluster, more = [] }: HouseOptions): ReturnType<typeof zoneTable> {
    for (const name of ['.', 'cluster.local.']) this.zones.id(name);
    const zones = [
      { ...USUAL, zone: '.', ...outside },
      { ...USUAL, zone: 'cluster.local.', cache: CLUSTER, ...cluster },
      ...more.map((zone) => ({ ...USUAL, ...zone })),
    ];
    const forwarders = new Map(zones.map(({ zone }) => [zone, this.outside]));
    forwarders.set('cluster.local.', this.cluster);
    return zoneTable({ zones, clusterDomain: 'cluster.local' }, forwarders, this.zones);
  }

  /** Moves time, and fires what is due. */
  pass(ms: number): void {
    this.clock.advance(ms);
    this.wheel.advance();
  }

  /** Asks; the client's replies come to be in `replies`, at once or later. */
  ask(options: QuestionOptions & { isStream?: boolean; from?: string }): PlayedClient {
    const bytes = encodeQuestion({ id: 0x1234, ...options });
    return this.send(bytes, options.isStream, options.from);
  }

  send(bytes: Uint8Array, isStream = false, address?: string): PlayedClient {
    const client = new PlayedClient(this.traffic, isStream);
    if (address !== undefined) client.address = address;
    this.sendAs(client, bytes);
    return client;
  }

  sendAs(client: PlayedClient, bytes: Uint8Array): void {
    // In the middle of a batch's buffer.
    const buffer = new Uint8Array(bytes.length + 40).fill(0xcc);
    buffer.set(bytes, 20);
    client.outcome = this.responder.respond(buffer, 20, 20 + bytes.length, this.clock.nowMs(), client, this.#reply);
    if (client.outcome === ANSWERED) client.send(this.#reply);
    buffer.fill(0xbb);
  }
}

export class PlayedClient implements Client, ReplySink {
  readonly isStream: boolean;
  readonly peer = '192.0.2.9:4242';
  /** Text of its address. */
  address = '192.0.2.9';
  readonly traffic: Traffic;
  readonly replies: Buffer[] = [];
  outcome = -1;

  constructor(traffic: Traffic, isStream: boolean) {
    this.traffic = traffic;
    this.isStream = isStream;
  }

  readAddress(target: Uint8Array): void {
    mapAddress(this.address, target);
  }

  hold(): ReplySink | undefined {
    return this;
  }

  holdStream(_source: StreamSource): ReplyStream | undefined {
    return undefined;
  }

  send(reply: Reply): void {
    const bytes = Buffer.alloc(reply.length);
    reply.copyTo(bytes, 0);
    this.replies.push(bytes);
  }

  drop(): void {}

  /** The one reply that came. */
  get reply(): Message {
    if (this.replies.length !== 1) throw new Error(`${this.replies.length} replies came`);
    return decodeMessage(this.replies[0]!);
  }
}
