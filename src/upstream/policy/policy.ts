import type { Upstream } from '../upstream.ts';

/** Chooses which of the upstreams is asked next. Called once per try, on the data plane: no allocation. */
export interface Policy {
  /** The order is the user's will, however slow the first is: it is left only for silence, and no second one is asked beside it. */
  readonly keepsOrder: boolean;
  /** Index into `healthy`, which is never empty, and is the caller's: not to be kept. */
  choose(healthy: readonly Upstream[]): number;
}
