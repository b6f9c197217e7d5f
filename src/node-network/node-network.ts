import type { NodeNetworkConfig } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { NetworkMode, NetworkReason, NetworkReport, NetworkState } from './network-report.ts';
import type { WantedState } from './wanted-state.ts';

export interface NodeNetworkParts {
  wanted: WantedState;
  log: Logger;
  clock: Clock;
}

/**
 * The agent's piece of the node's network. Nothing here throws or rejects after `open`: what fails is logged once, counted, a reason of `/ready`, and tried again,
 * and serving goes on. In mode `off` every method does nothing.
 *
 *   open ─▶ prepare ─▶ (bind, answer oneself) ─▶ arm ─▶ withdraw ─▶ close
 *                                                 │ ▲
 *                                           pause ▼ │ resume      a successor has taken over; it has gone
 */
export class NodeNetwork {
  readonly mode: NetworkMode;
  #wanted: WantedState;
  #state: NetworkState = 'idle';

  /** Chooses the mode, and logs why. */
  static async open(config: NodeNetworkConfig, parts: NodeNetworkParts): Promise<NodeNetwork> {
    return new NodeNetwork(config.mode === 'off' ? 'off' : 'interface', parts);
  }

  private constructor(mode: NetworkMode, { wanted }: NodeNetworkParts) {
    this.mode = mode;
    this.#wanted = wanted;
  }

  /** The link and its addresses, before anything is bound. No query is redirected by it. */
  async prepare(): Promise<void> {
    this.#state = 'prepared';
  }

  /**
   * Redirects queries here: rules and the first renewal of the switch, which is renewed every second from then on while `isServing` says so. To be called when the
   * agent answers. Resolves when queries come here, or when the first attempt has failed.
   */
  async arm(_isServing: () => boolean): Promise<void> {
    this.#state = 'armed';
  }

  /** A successor renews and repairs from now on; the switch and everything else stay as they are. */
  pause(): void {
    this.#state = 'paused';
  }

  /** The successor is gone: renews and repairs again, at once. */
  async resume(): Promise<void> {
    this.#state = 'armed';
  }

  /** Queries go to the cluster DNS from now on; rules and addresses stay. Nothing while paused: the switch is the successor's. */
  async withdraw(): Promise<void> {
    if (this.#state === 'paused') return;
    this.#state = 'withdrawn';
  }

  /** Other targets of the fail-over. Rules follow if they are in place already. */
  async update(wanted: WantedState): Promise<void> {
    this.#wanted = wanted;
  }

  /** Ends timers, watches and processes. The node's network stays as it is: without `withdraw` the switch runs out by itself. */
  async close(): Promise<void> {}

  /** For `/ready`: empty in mode `off`. */
  reasons(): readonly NetworkReason[] {
    return [];
  }

  report(): NetworkReport {
    return {
      mode: this.mode,
      modeReason: 'not chosen',
      state: this.#state,
      link: this.#wanted.link,
      addresses: this.#wanted.addresses,
      renewals: 0,
      renewedSecondsAgo: undefined,
      notServing: 0,
      looks: 0,
      repairs: {},
      errors: {},
      findings: [],
    };
  }
}
