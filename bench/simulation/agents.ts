import type { AgentModel } from './assumptions.ts';

const NODELOCAL: AgentModel = {
  name: 'NodeLocal DNSCache',
  queriesPerThousandLookUps: 822,
  connections: undefined,
  idleSeconds: 10,
  isCacheKept: false,
  gapSeconds: 5,
  silentSeconds: 2,
  watch: undefined,
};

const LOCAL: AgentModel = {
  name: 'Signpost',
  queriesPerThousandLookUps: 91.3,
  connections: 2,
  idleSeconds: 10,
  isCacheKept: true,
  gapSeconds: 0,
  silentSeconds: 1,
  watch: { streams: 2, changeBytes: 593, changeCpuUs: 22 },
};

const COMPLETE: AgentModel = {
  ...LOCAL,
  name: 'Signpost, complete with leases',
  queriesPerThousandLookUps: 6.39,
  watch: { ...LOCAL.watch!, streams: 3 },
};

/** Those compared. Numbers of queries and octets are those of docs/performance.md and docs/kubernetes.md. */
export const AGENTS: readonly AgentModel[] = [NODELOCAL, LOCAL, COMPLETE];
