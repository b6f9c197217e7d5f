import { askItself } from '../admin/self-probe.ts';
import type { Config, SocketAddress } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import { monotonicClock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { TimerWheel } from '../core/timer-wheel.ts';
import { TroubleLog } from '../core/trouble-log.ts';
import { packageVersion } from '../core/version.ts';
import { Snapshot } from '../handover/snapshot.ts';
import { registerSnapshotMetrics } from '../handover/snapshot-metrics.ts';
import { Listeners } from '../listen/listeners.ts';
import { registerListenMetrics } from '../listen/metrics.ts';
import { EventLoopDelay } from '../metrics/event-loop-delay.ts';
import { registerLimitMetrics } from '../metrics/limit-metrics.ts';
import { registerProcessMetrics } from '../metrics/process-metrics.ts';
import { Register } from '../metrics/register.ts';
import { registerTrafficMetrics } from '../metrics/traffic-metrics.ts';
import { TrafficTable } from '../metrics/traffic-table.ts';
import { ZoneIds } from '../metrics/zone-ids.ts';
import { registerNodeNetworkMetrics } from '../node-network/metrics.ts';
import { ClusterDnsDirect } from './cluster-dns-direct.ts';
import { type ClusterDnsPlaces, ClusterKnowledge } from './cluster-knowledge.ts';
import { configReport } from './config-report.ts';
import { DataPlane } from './data-plane.ts';
import { FixedSettings } from './fixed-settings.ts';
import { HandOver } from './hand-over.ts';
import { limitHeapGrowth } from './heap-growth.ts';
import { HttpServers } from './http-servers.ts';
import { trimMemory } from './memory-trim.ts';
import { NodePresence } from './node-presence.ts';
import { Readiness } from './readiness.ts';
import { type Reloads, registerReloadMetrics } from './reload-metrics.ts';
import { statusReport } from './status-report.ts';
import { warmUp } from './warm-up.ts';

export interface AgentParts {
  log: Logger;
  /** Where reloads are counted; a configuration that is never read again has none. */
  reloads?: Reloads;
  /** Ends a start that waits behind a newer process: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What the agent is made of, open already. */
interface AgentRooms {
  readonly traffics: TrafficTable;
  readonly dataPlane: DataPlane;
  readonly listeners: Listeners;
  readonly presence: NodePresence;
  readonly handOver: HandOver;
  readonly cluster: ClusterKnowledge;
}

/** Time limits of clients' connections are seconds: this wheel need not wake the process often. */
const SLOW_TICK_MS = 250;

/** How often it is looked whether the last TCP connection is gone while a successor serves. */
const LEAVING_STEP_MS = 50;

/** The composition root: the only one who knows all rooms. `start` says what begins in which order, `stop` ends it in the reverse. */
export class Agent {
  readonly #log: Logger;
  readonly #traffics: TrafficTable;
  readonly #register = new Register();
  readonly #eventLoopDelay = new EventLoopDelay();
  readonly #readiness: Readiness;
  readonly #dataPlane: DataPlane;
  readonly #fixed: FixedSettings;
  readonly #reloads: Reloads | undefined;
  readonly #listeners: Listeners;
  readonly #presence: NodePresence;
  readonly #handOver: HandOver;
  readonly #cluster: ClusterKnowledge;
  /** Undefined: the cluster DNS is asked by its address. */
  readonly #direct: ClusterDnsDirect | undefined;
  readonly #snapshot: Snapshot | undefined;
  readonly #endWarmUp: () => void;
  #endTrim: () => void = () => {};
  #http: HttpServers | undefined;
  #config: Config;
  /** Errors that nobody caught; whoever catches them last counts them here. */
  panics = 0;

  /** Throws `ConfigError` for addresses that cannot be served, `StartError` for those that cannot be had. */
  static async start(config: Config, parts: AgentParts): Promise<Agent> {
    const { log } = parts;
    const clock = monotonicClock;
    const traffics = new TrafficTable(new ZoneIds());
    const cluster = await ClusterKnowledge.open(config, { clock, log });
    const dataPlane = new DataPlane(config, { clock, log, zones: traffics.zones });
    // With the cache of a process that serves, and then its sockets; or when it is this one's turn.
    const handOver = await HandOver.open(config, { dataPlane, log, signal: parts.signal });
    // Bound before anything else is seen from outside: whoever finds it ready or healthy can ask it.
    const wheel = new TimerWheel({ clock, tickMs: SLOW_TICK_MS });
    const { responder, cache } = dataPlane;
    const { adopt } = handOver;
    const listenersParts = { responder, traffics, clock, wheel, log, slab: cache.memory.bytes, adopt };
    const look = NodePresence.look(config);
    const open = async (): Promise<[NodePresence, Listeners]> => {
      // The addresses must be there to be bound; nothing comes to them yet.
      const presence = await NodePresence.open(config, { clock, log, look });
      try {
        return [presence, await Listeners.open(config.listen, listenersParts)];
      } catch (error) {
        await presence.close();
        throw error;
      }
    };
    const [presence, listeners] = await handOver.enter(open).catch((error) => {
      handOver.close();
      dataPlane.close();
      throw error;
    });
    const agent = new Agent(config, parts, { traffics, dataPlane, listeners, presence, handOver, cluster });
    agent.#registerMetrics();
    await agent.#openHttp();
    agent.#sayWhereItListens();
    presence.redirect(listeners, () => dataPlane.hasAnswers);
    if (presence.needsClusterDns || config.isClusterDnsDirect)
      cluster.followClusterDns((places) => agent.#lead(places));
    cluster.followCluster(dataPlane);
    await agent.#settle();
    presence.settle();
    // Behind what is asked already: nothing waits for it.
    agent.#snapshot?.start();
    if (!handOver.hasInherited) void agent.#snapshot?.load().then(() => dataPlane.nodeNames?.dropAll());
    limitHeapGrowth();
    agent.#endTrim = await trimMemory();
    return agent;
  }

  private constructor(
    config: Config,
    { log, reloads }: AgentParts,
    { traffics, dataPlane, listeners, presence, handOver, cluster }: AgentRooms,
  ) {
    this.#config = config;
    this.#log = log;
    this.#reloads = reloads;
    this.#fixed = new FixedSettings(config, log);
    this.#traffics = traffics;
    this.#dataPlane = dataPlane;
    this.#listeners = listeners;
    this.#presence = presence;
    this.#handOver = handOver;
    this.#cluster = cluster;
    const direct = config.isClusterDnsDirect ? directOf(config, dataPlane, cluster, log) : undefined;
    this.#direct = direct;
    this.#readiness = new Readiness({
      hasAnswers: () => dataPlane.hasAnswers,
      configError: () => reloads?.error,
      loops: () => dataPlane.upstreams.loops.found.map(({ zone, upstream }) => `${upstream.name} for ${zone}`),
      nodeNetwork: () => presence.reasons,
      cluster: () => (direct === undefined ? cluster.reasons : [...cluster.reasons, direct.reason]),
      handOver: () => handOver.reasons,
    });
    this.#readiness.listening();
    const snapshot = snapshotOf(config, dataPlane, log);
    this.#snapshot = snapshot;
    dataPlane.cache.onDrop = (zone) => {
      snapshot?.spoil();
      handOver.dropped(zone);
    };
    this.#eventLoopDelay.start();
    this.#endWarmUp = warmUp(() => dataPlane.forwarders);
  }

  /** Where it really listens: the ports that 0 became. */
  get addresses(): { listen: SocketAddress[]; metrics?: SocketAddress | undefined; admin?: SocketAddress | undefined } {
    return { listen: this.#listeners.addresses, metrics: this.#http?.metrics, admin: this.#http?.admin };
  }

  /**
   * Takes over zones and upstreams of a new configuration, whole, between two queries. Sockets and the cache's size stay what they are, which is said once
   * where the configuration has them otherwise. One reload at a time.
   */
  async reload(config: Config): Promise<void> {
    const held = this.#fixed.hold(config);
    const swap = async () => {
      await this.#dataPlane.apply(held);
      this.#cluster.follow(held, (places) => this.#lead(places));
    };
    await (this.#direct === undefined ? swap() : this.#direct.during(held, swap));
    this.#config = held;
    await this.#presence.follow(held);
  }

  /** The cluster DNS is in other places. */
  #lead(places: ClusterDnsPlaces): void {
    void this.#presence.setClusterDns(places);
    this.#direct?.update();
  }

  /**
   * Not ready, and queries go to the cluster DNS; goes on answering what still comes for the lameduck time; then ends what is in flight and closes. While a successor serves, only
   * the TCP connections that are left are waited for, as long at the most.
   */
  async stop({ lameduckMs = this.#config.lameduckMs }: { lameduckMs?: number } = {}): Promise<void> {
    this.#readiness.leaving();
    this.#log.info({ lameduckMs }, 'stopping');
    const hasLeft = this.#presence.leave();
    const wasStandby = this.#handOver.isStandby;
    this.#handOver.leave();
    const endMs = monotonicClock.nowMs() + lameduckMs;
    while (monotonicClock.nowMs() < endMs && !this.#isDrained(wasStandby)) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(LEAVING_STEP_MS, endMs - monotonicClock.nowMs())));
    }
    await hasLeft;
    this.#handOver.close();
    this.#endWarmUp();
    this.#endTrim();
    await this.#listeners.close();
    await this.#snapshot?.close();
    await this.#presence.close();
    this.#direct?.close();
    await this.#cluster.close();
    await this.#http?.close();
    this.#dataPlane.close();
    this.#eventLoopDelay.stop();
    this.#log.info({}, 'stopped');
  }

  /** The process that starts at SIGUSR2 takes over from this one; see `HandOver`. */
  get handOver(): HandOver {
    return this.#handOver;
  }

  /** From now on this process is the one that serves: the one before stands by. */
  async #settle(): Promise<void> {
    const estate = {
      listeners: this.#listeners,
      http: this.#http!,
      presence: this.#presence,
      snapshot: this.#snapshot,
    };
    await this.#handOver.settle(estate);
  }

  /** Of a process whose place another has taken: no client is left that only it can serve. */
  #isDrained(wasStandby: boolean): boolean {
    return (wasStandby || this.#handOver.isStandby) && this.#listeners.counts.total === 0;
  }

  #registerMetrics(): void {
    const register = this.#register;
    registerTrafficMetrics(register, this.#traffics);
    this.#dataPlane.registerMetrics(register, this.#listeners.addresses[0]!);
    registerListenMetrics(register, this.#listeners);
    registerNodeNetworkMetrics(register, () => this.#presence.report);
    this.#cluster.registerMetrics(register);
    this.#direct?.registerMetrics(register);
    this.#handOver.registerMetrics(register);
    registerLimitMetrics(register);
    registerProcessMetrics(register, {
      version: packageVersion(),
      revision: process.env['SIGNPOST_REVISION'] ?? '',
      eventLoopDelay: this.#eventLoopDelay,
      panics: () => this.panics,
    });
    if (this.#reloads !== undefined) registerReloadMetrics(register, this.#reloads);
    if (this.#snapshot !== undefined) registerSnapshotMetrics(register, this.#snapshot);
  }

  async #openHttp(): Promise<void> {
    const clock = monotonicClock;
    this.#http = await HttpServers.open(this.#config, {
      register: this.#register,
      probe: () => askItself(this.#listeners.addresses[0]!),
      reasons: () => this.#readiness.reasons(),
      status: () =>
        statusReport({
          config: this.#config,
          dataPlane: this.#dataPlane,
          listen: this.#listeners.addresses,
          reasons: this.#readiness.reasons(),
          traffics: this.#traffics,
          handOver: this.#handOver.report,
          network: this.#presence.report,
        }),
      config: () => configReport({ config: this.#config, reloads: this.#reloads, restartNeeded: this.#fixed.waiting }),
      podUid: process.env['POD_UID'],
      askStandby: this.#handOver.askStandby,
      libc: this.#handOver.libc,
      adopt: this.#handOver.adoptHttp,
      clock,
      log: this.#log,
      troubles: new TroubleLog({ log: this.#log, clock }),
    });
  }

  #sayWhereItListens(): void {
    const { listen, metrics, admin } = this.addresses;
    this.#log.info(
      {
        listen: listen.map(formatSocketAddress),
        ...(metrics && { metrics: formatSocketAddress(metrics) }),
        ...(admin && { admin: formatSocketAddress(admin) }),
        version: packageVersion(),
      },
      'listening',
    );
  }
}

function snapshotOf({ state }: Config, { image }: DataPlane, log: Logger): Snapshot | undefined {
  return state === undefined ? undefined : new Snapshot({ folder: state, image, log });
}

function directOf(config: Config, { upstreams }: DataPlane, cluster: ClusterKnowledge, log: Logger): ClusterDnsDirect {
  const direct = new ClusterDnsDirect({
    config,
    upstreams,
    pods: () => cluster.dnsPods,
    place: () => cluster.place,
    onZoneNeeded: () => cluster.followOwnZone(() => direct.update()),
    log,
  });
  return direct;
}
