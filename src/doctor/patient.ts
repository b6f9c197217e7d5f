import type { Status } from '../admin/status.ts';
import type { Config, NodeNetworkConfig, SocketAddress } from '../config/config.ts';
import type { AgentProcess } from './agent-processes.ts';
import type { HostFiles } from './host-files.ts';
import type { NetworkReading } from './network-reading.ts';

/** What one upstream said to one question; see `probeUpstreams` of the command line. */
export interface UpstreamProbe {
  /** `tcp://10.96.0.10:53` */
  readonly address: string;
  readonly zones: readonly string[];
  readonly rcode?: string;
  readonly elapsedMs?: number;
  /** Why there was no answer. */
  readonly failure?: string;
}

/** One answer to one question. */
export interface Reply {
  readonly rcode: string;
  readonly elapsedMs: number;
}

export interface AskOptions {
  readonly isTcp?: boolean;
  readonly timeoutMs?: number;
}

/** A node as the checks see it: what it should be like, who runs there, and how to ask. Nothing here changes anything. */
export interface Patient {
  /** What the agent is to do; undefined where nobody can tell (no agent runs here and no flag says it). */
  readonly config: Config | undefined;
  /** Where that is known from: `process 812`, `the flags of this command`, `the defaults`. */
  readonly origin: string;
  /** Of `config`, or what it is by default. */
  readonly listen: readonly SocketAddress[];
  readonly nodeNetwork: NodeNetworkConfig;
  /** Agents in this network. More than one while a standby waits. */
  readonly agents: readonly AgentProcess[];
  /** What the agent says of itself, or why it says nothing. */
  readonly status: Status | { readonly failure: string };
  /** The node's files. */
  readonly files: HostFiles;
  /** Files as the agent sees them: those of its own mounts, where it runs. */
  readonly agentFiles: HostFiles;
  /** The node's network; looked at once. */
  network(): Promise<NetworkReading>;
  /** Rejects with the reason where there is no answer. */
  ask(server: SocketAddress, name: string, type: string, options?: AskOptions): Promise<Reply>;
  probeUpstreams(config: Config): Promise<readonly UpstreamProbe[]>;
}

/** The agent's own word, where it gave one. */
export function statusOf({ status }: Patient): Status | undefined {
  return 'failure' in status ? undefined : status;
}
