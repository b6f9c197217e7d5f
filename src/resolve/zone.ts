import type { CachePolicy } from '../config/config.ts';
import type { Asker } from '../upstream/ask.ts';

/** A zone at work: how its answers are kept, and who is asked. */
export interface Zone {
  /** Lower case, with the trailing dot. */
  readonly name: string;
  /** The root not counted. */
  readonly labels: number;
  /** The number it has in metrics and in cached entries, the same for the process's life. */
  readonly id: number;
  readonly cache: CachePolicy;
  /** Undefined: its names are answered here (RFC 6761, section 6.3). */
  readonly forwarder: Asker | undefined;
  /** Whether names follow the Kubernetes schema, so that some are known not to exist. */
  readonly isCluster: boolean;
}
