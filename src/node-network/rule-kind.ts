import type { WantedRules } from './wanted-state.ts';

/** Something that is not as it should be, for the log, `/ready` and `signpost doctor`. */
export interface Finding {
  /** Stable, for scripts: `rules-missing`, `rules-foreign`, `host-drops` … */
  readonly code: string;
  readonly message: string;
  /** What a person may do about it; undefined where the agent mends it itself. */
  readonly remedy?: string;
}

/**
 * One way to put rules into the kernel, with the dead-man's switch that they match. All calls are bounded in time (a lock that another holds is waited for, and given
 * up), reject with a `SignpostError` that says what the tool said, and change nothing of others.
 */
export interface RuleKind {
  readonly name: 'nftables' | 'iptables';
  /**
   * Brings in what is wanted, atomically, in place of what an earlier process left. The switch keeps what it has; where `isServing` says so right before rules are written, it is on with the
   * first of them, for until then they would lead elsewhere what the agent answers. Done again, it changes nothing.
   */
  apply(wanted: WantedRules, isServing?: () => boolean): Promise<void>;
  /** What of it is missing, or twice, or other than wanted. Reads only. */
  inspect(wanted: WantedRules): Promise<readonly Finding[]>;
  /** The switch says for about three more seconds that the agent lives. Called every second. */
  renew(wanted: WantedRules): Promise<void>;
  /** The switch says that it does not, from now on; rules stay. */
  withdraw(wanted: WantedRules): Promise<void>;
  /** Takes out everything of ours, switch and all. */
  remove(): Promise<void>;
  /** Ends helper processes. Rules and switch stay as they are. */
  close(): void;
}
