import type { Finding } from './rule-kind.ts';
import type { WantedRules } from './wanted-state.ts';

export type NetworkMode = 'off' | 'nftables' | 'iptables' | 'interface';

/** One line of `/ready` (the shape that admin/ready-page has). */
export interface NetworkReason {
  /** `addresses`, `rules`, `switch`, `firewall`. */
  readonly name: string;
  readonly ok: boolean;
  /** Keeps no queries away, but somebody should look at it. */
  readonly warning?: boolean;
  readonly message: string;
}

/**
 * `idle`: nothing done yet. `prepared`: the addresses are there. `armed`: rules are there, and the switch is renewed. `paused`: a successor does it.
 * `withdrawn`: the switch is off, queries go to the cluster DNS.
 */
export type NetworkState = 'idle' | 'prepared' | 'armed' | 'paused' | 'withdrawn';

/** What the status page, `/metrics` and `signpost doctor` tell of the node's network. */
export interface NetworkReport {
  readonly mode: NetworkMode;
  /** Why that mode: a sentence. */
  readonly modeReason: string;
  readonly state: NetworkState;
  /** Where the addresses are: the link, or `lo` where the kernel has no dummy links. */
  readonly link: string;
  readonly addresses: readonly string[];
  /** What rules lead where: the fail-over's targets as far as they are known now. */
  readonly rules: WantedRules;
  /** Renewals of the switch that the kernel took. */
  readonly renewals: number;
  /** Seconds since the latest of them; undefined: none yet. */
  readonly renewedSecondsAgo: number | undefined;
  /** Seconds in which the agent could not show that it serves, so that the switch was not renewed. */
  readonly notServing: number;
  /** Looks at what is there. */
  readonly looks: number;
  /** What was mended, by the finding's code. */
  readonly repairs: Readonly<Record<string, number>>;
  /** What failed, by step: `link`, `apply`, `inspect`, `renew`, `withdraw`, `watch`. */
  readonly errors: Readonly<Record<string, number>>;
  /** What is not as it should be now. */
  readonly findings: readonly Finding[];
  /** What of the host's own firewall drops queries to us, or our replies. */
  readonly drops: readonly Finding[];
}
