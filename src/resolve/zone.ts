import type { CachePolicy } from '../config/config.ts';
import type { RouteTable } from '../route/route-table.ts';
import type { Asker } from '../upstream/ask.ts';
import type { ZoneRules } from './zone-rules.ts';

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
  /** Every question is REFUSED. */
  readonly isRefused: boolean;
  /** What is answered before an upstream is asked; undefined: nothing. */
  readonly rules: ZoneRules | undefined;
  /** False: NXDOMAIN is kept for the type that was asked alone, for AAAA is answered with NODATA. */
  readonly hasAaaa: boolean;
  /** Names in it that stand for others, each a zone of its own with a `target`, which holds for that very name. */
  readonly aliases: RouteTable<Zone> | undefined;
  /** The name, uncompressed, whose answers are given; the forwarder is the one that is asked for it then. */
  readonly target: Uint8Array | undefined;
}
