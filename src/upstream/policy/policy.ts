import type { Upstream } from '../upstream.ts';

/** Chooses which of the upstreams is asked next. Called once per try, on the data plane: no allocation. */
export interface Policy {
  /** Index into `healthy`, which is never empty, and is the caller's: not to be kept. */
  choose(healthy: readonly Upstream[]): number;
}
