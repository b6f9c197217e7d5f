import type { Reason } from '../admin/ready-page.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { type Listening, Liveness } from '../listen/liveness.ts';
import { type HostLook, lookAtHost } from '../node-network/host-facts.ts';
import type { NetworkReport } from '../node-network/network-report.ts';
import { NodeNetwork } from '../node-network/node-network.ts';
import { servicesOf, type WantedFromConfigParts, wantedFromConfig } from '../node-network/wanted-from-config.ts';
import type { WantedState } from '../node-network/wanted-state.ts';

export interface NodePresenceParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly look?: HostLook | undefined;
}

/** How long the agent tries to answer itself before it redirects queries; from then on the switch's own rule holds. */
const PROVE_MS = 300;

/** How soon it is looked again whether there is something to answer with: longer each time, for a cluster DNS may be away for hours. */
const FIRST_LOOK_MS = 10;
const LAST_LOOK_MS = 500;

/**
 * The agent's part in the node's network: that queries come here while it answers, and go to the cluster DNS while it does not.
 *
 *   open (addresses) ─▶ [listeners are bound] ─▶ redirect, once there is something to answer with ─▶ leave
 */
export class NodePresence {
  readonly #network: NodeNetwork;
  readonly #log: Logger;
  readonly #clock: Clock;
  #config: Config;
  #places: WantedFromConfigParts = {};
  #liveness: Liveness | undefined;
  #waiting: NodeJS.Timeout | undefined;
  #lookAgainMs = FIRST_LOOK_MS;
  #hasAnswers: () => boolean = () => false;
  /** Undefined: not begun yet. */
  #arming: Promise<void> | undefined;
  #isStandby = false;
  #isArmed = false;
  #isSettled = false;
  #isLeaving = false;

  /** Begins to see what `open` must know of the host: a predecessor that has passed its sockets waits for a few seconds only. Undefined: nothing. */
  static look(config: Config): HostLook | undefined {
    return config.nodeNetwork.mode === 'off' ? undefined : lookAtHost(wantedOf(config, {}).rules);
  }

  /** The link and its addresses are there when this resolves, so that they can be listened on. Nothing is redirected by it. */
  static async open(config: Config, parts: NodePresenceParts): Promise<NodePresence> {
    const network = await NodeNetwork.open(config.nodeNetwork, { ...parts, wanted: wantedOf(config, {}) });
    await network.prepare();
    return new NodePresence(network, config, parts);
  }

  private constructor(network: NodeNetwork, config: Config, { clock, log }: NodePresenceParts) {
    this.#network = network;
    this.#config = config;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Sends the node's queries here as soon as the listeners answer and `hasAnswers` says that there is something to answer with: until then the cluster DNS answers
   * better. Goes on by itself.
   */
  redirect(listeners: Listening, hasAnswers: () => boolean): void {
    if (this.#network.mode === 'off') return;
    this.#liveness = new Liveness({ listeners, clock: this.#clock, log: this.#log });
    this.#hasAnswers = hasAnswers;
    this.#armWhenAnswered();
  }

  /** Other places where the cluster DNS is, and that the fail-over may lead to. */
  async setClusterDns(places: WantedFromConfigParts): Promise<void> {
    this.#places = places;
    await this.#update();
  }

  /** Whether the fail-over needs to know from the API where the cluster DNS is. */
  get needsClusterDns(): boolean {
    const { failovers } = wantedOf(this.#config, {}).rules;
    if (this.#network.mode === 'iptables') return failovers.length > 0;
    return this.#network.mode === 'nftables' && failovers.some(({ service }) => service === undefined);
  }

  /** Another configuration is in force. */
  async follow(config: Config): Promise<void> {
    this.#config = config;
    await this.#update();
  }

  /** Nobody else minds the node's network: what others have left in it, and is not wanted, goes when ours is in place. */
  settle(): void {
    this.#isSettled = true;
    this.#clean();
  }

  /** A successor has taken over, and minds the node's network from now on. */
  standBy(): void {
    this.#isStandby = true;
    clearTimeout(this.#waiting);
    this.#network.pause();
    // What was being armed when it came is the successor's as well.
    void this.#arming?.then(() => this.#isStandby && this.#network.pause());
  }

  /** The successor is gone. */
  async takeBack(): Promise<void> {
    this.#isStandby = false;
    if (this.#arming === undefined) this.#armWhenAnswered();
    else await this.#network.resume();
  }

  /** Queries go to the cluster DNS from now on. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    clearTimeout(this.#waiting);
    await this.#network.withdraw();
  }

  async close(): Promise<void> {
    clearTimeout(this.#waiting);
    this.#liveness?.close();
    await this.#network.close();
  }

  /** For `/ready`; none where the node's network is left alone. */
  get reasons(): readonly Reason[] {
    const silent = this.#liveness?.silent ?? [];
    if (silent.length === 0) return this.#network.reasons();
    const message = `the agent does not answer itself on ${silent.join(', ')}`;
    return [...this.#network.reasons(), { name: 'answering-itself', ok: false, message }];
  }

  get report(): NetworkReport {
    return this.#network.report();
  }

  #armWhenAnswered(): void {
    if (this.#liveness === undefined || this.#isStandby) return;
    if (this.#hasAnswers()) {
      this.#arming = this.#arm(this.#liveness);
      return;
    }
    this.#waiting = setTimeout(() => this.#armWhenAnswered(), this.#lookAgainMs).unref();
    this.#lookAgainMs = Math.min(this.#lookAgainMs * 1.1, LAST_LOOK_MS);
  }

  async #arm(liveness: Liveness): Promise<void> {
    await liveness.prove(PROVE_MS);
    if (this.#isLeaving) return;
    if (this.#isStandby) {
      // The switch is the successor's, rules too; armed when that one is gone.
      this.#arming = undefined;
      return;
    }
    await this.#network.arm(() => liveness.isServing());
    this.#isArmed = true;
    this.#clean();
  }

  #clean(): void {
    // A successor may have come while this was being armed: what it has set up is no leftover.
    if (this.#isArmed && this.#isSettled && !this.#isStandby) void this.#network.clean();
  }

  #update(): Promise<void> {
    return this.#network.update(wantedOf(this.#config, this.#places));
  }
}

function wantedOf(config: Config, { services = [], ...places }: WantedFromConfigParts): WantedState {
  return wantedFromConfig(config, { services: [...servicesOf(process.env), ...services], ...places });
}
