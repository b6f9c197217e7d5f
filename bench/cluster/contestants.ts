import type { Bench } from '../bench.ts';
import { startAgent } from '../servers/agent.ts';
import type { Running } from '../servers/server.ts';
import { NODE_NAME } from './bench-cluster.ts';
import { startNodeLocal } from './nodelocal.ts';

/** Ports of 127.0.0.1. */
export interface Surroundings {
  readonly clusterDns: number;
  readonly outside: number;
  readonly kubeconfig: string;
}

/** Who answers the pods of the node. */
export interface Contestant {
  start(bench: Bench, surroundings: Surroundings): Promise<Running>;
}

export const NODELOCAL: Contestant = {
  start: (bench, { clusterDns, outside }) =>
    startNodeLocal(bench.corednsProgram!, bench.place(), { clusterDns, outside }),
};

export const LOCAL_WITHOUT_API = ours(() => ['--search', 'local', '--kubernetes', 'off']);

export const LOCAL = ours((kubeconfig) => ['--search', 'local', ...known(kubeconfig)]);

export const COMPLETE = ours((kubeconfig) => ['--search', 'complete', ...known(kubeconfig)]);

export const COMPLETE_WITH_LEASE = ours((kubeconfig) => ['--search', 'complete', '--lease', ...known(kubeconfig)]);

function known(kubeconfig: string): string[] {
  return ['--kubernetes', kubeconfig, '--node-name', NODE_NAME];
}

function ours(flags: (kubeconfig: string) => readonly string[]): Contestant {
  return {
    start: (bench, { clusterDns, outside, kubeconfig }) =>
      startAgent(bench.programs.agent, bench.place(), {
        clusterDns: `tcp://127.0.0.1:${clusterDns}`,
        serve: ['--upstream', `127.0.0.1:${outside}`, ...flags(kubeconfig)],
      }),
  };
}
