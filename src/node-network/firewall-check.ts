import { findDrops } from './foreign-rules.ts';
import type { Finding } from './rule-kind.ts';
import type { WantedRules } from './wanted-state.ts';

/** Behind the start, which it must not delay. */
const FIRST_MS = 2000;
/** Reading a host's whole rule set takes 20 ms of the loop for each thousand Services of kube-proxy. */
const EVERY_MS = 30 * 60_000;

export interface FirewallCheckOptions {
  /** As it is wanted then. */
  wanted: () => WantedRules;
  /** Drops that the check before did not find. */
  onDrop: (drop: Finding) => void;
  onError: (error: Error) => void;
}

/** Looks now and then whether the host's own firewall drops queries to us or our replies: nobody but the host's owner can mend that. */
export class FirewallCheck {
  readonly #options: FirewallCheckOptions;
  #drops: readonly Finding[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FirewallCheckOptions) {
    this.#options = options;
  }

  /** What the latest look found. */
  get drops(): readonly Finding[] {
    return this.#drops;
  }

  start(): void {
    this.#arm(FIRST_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(inMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), inMs).unref();
  }

  async #look(): Promise<void> {
    const { wanted, onDrop, onError } = this.#options;
    try {
      const { listen, hasNoTrack } = wanted();
      const found = await findDrops(listen, hasNoTrack);
      const known = new Set(this.#drops.map(({ message }) => message));
      this.#drops = found;
      for (const drop of found) if (!known.has(drop.message)) onDrop(drop);
    } catch (error) {
      onError(error as Error);
    }
    if (this.#timer !== undefined) this.#arm(EVERY_MS);
  }
}
