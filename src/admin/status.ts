import type { SocketAddress } from '../config/config.ts';
import type { TrafficTotals } from '../metrics/traffic-table.ts';
import { type Answer, jsonAnswer, type Page } from './page.ts';
import type { Reason } from './ready-page.ts';

/** The agent at this moment, as the status page and `signpost status` show it. Counters run from the start of the process. */
export interface Status {
  readonly version: string;
  readonly node: string | null;
  readonly uptimeSeconds: number;
  readonly ready: boolean;
  readonly reasons: readonly Reason[];
  /** `127.0.0.1:5300`, `[::1]:5300` */
  readonly listen: readonly string[];
  readonly traffic: TrafficTotals;
  readonly zones: readonly ZoneStatus[];
  readonly cache: CacheStatus;
  readonly limits: readonly LimitStatus[];
  readonly residentBytes: number;
  /** Null where no hand-over was asked for (`--state`). */
  readonly handOver: HandOverStatus | null;
  /** Null where the node's network is left alone (`--node-network off`). */
  readonly network: NetworkStatus | null;
}

/** What the agent has set up on the node; counters run from the start of the process. */
export interface NetworkStatus {
  /** `nftables`, `iptables`, `interface` */
  readonly mode: string;
  readonly modeReason: string;
  /** `idle`, `prepared`, `armed`, `paused`, `withdrawn` */
  readonly state: string;
  /** Where the addresses are. */
  readonly link: string;
  readonly addresses: readonly string[];
  /** What is led where: `failovers` while the agent is gone. */
  readonly rules: {
    readonly listen: readonly SocketAddress[];
    readonly hasNoTrack: boolean;
    readonly failovers: readonly {
      readonly family: 4 | 6;
      readonly listen: SocketAddress;
      readonly service: SocketAddress | undefined;
      readonly targets: readonly SocketAddress[];
    }[];
  };
  readonly renewals: number;
  /** Not there before the first renewal of the switch. */
  readonly renewedSecondsAgo?: number | undefined;
  /** Seconds in which the switch was not renewed, for the agent could not show that it answers. */
  readonly notServing: number;
  /** What was mended, and what failed, each with how often. */
  readonly repairs: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
  /** What is not as it should be now. */
  readonly findings: readonly { readonly code: string; readonly message: string; readonly remedy?: string }[];
}

/** Which processes of this node's agents there are. Only the one that serves can be asked. */
export interface HandOverStatus {
  /** `starting`, `waiting`, `serving`, `standby` */
  readonly role: string;
  /** Of the pod on this node: the higher one serves. */
  readonly generation: number;
  /** How the start came by its addresses: `cold`, `taken` from another process, or `yielded` by one. */
  readonly arrival: string;
  readonly standbys: readonly { readonly pod: string | null; readonly pid: number; readonly generation: number }[];
}

export interface ZoneStatus {
  /** `cluster.local.`, `.` */
  readonly zone: string;
  readonly policy: string;
  readonly requests: number;
  readonly upstreams: readonly UpstreamStatus[];
}

export interface UpstreamStatus {
  /** `tcp://10.96.0.10:53` */
  readonly address: string;
  /** How it is asked first: `udp`, `tcp`, `tls`, `https`. */
  readonly transport: string;
  readonly state: UpstreamState;
  /** Whether questions of clients go there: not while it is down or leads back to this agent. */
  readonly healthy: boolean;
  /** 0: asked first. Others are asked where all before them stand worse. */
  readonly rank: number;
  /** Smoothed; null before the first answer. */
  readonly roundTripMs: number | null;
  /** Of recent replies, 95 in 100 took no longer; null before the first. */
  readonly p95Ms: number | null;
  readonly inFlight: number;
  readonly connections: number;
  /** Tries without an answer. */
  readonly failures: number;
  /** The latest of them, with its time (ISO 8601); null where there was none. */
  readonly lastError: { readonly reason: string; readonly time: string } | null;
}

/**
 * `untried`: not asked since the process began. `slow`: the others answer sooner, or it only refuses. `doubtful`: it owes a reply or its last question failed. `looped`: it leads back to
 * this agent. Of these, only one that is up is asked first where there is one.
 */
export type UpstreamState = 'up' | 'slow' | 'doubtful' | 'down' | 'looped' | 'untried';

export interface CacheStatus {
  readonly bytes: number;
  readonly budgetBytes: number;
  readonly entries: number;
  readonly hits: number;
  readonly misses: number;
  /** Expired answers given because no fresh one came. */
  readonly stale: number;
}

export interface LimitStatus {
  readonly name: string;
  readonly value: number;
  readonly hits: number;
}

/** `/api/v1/status` */
export class StatusApi implements Page {
  readonly path = '/api/v1/status';
  readonly method = 'GET';
  readonly #status: () => Status;

  constructor(status: () => Status) {
    this.#status = status;
  }

  answer(): Answer {
    return jsonAnswer(200, this.#status());
  }
}
