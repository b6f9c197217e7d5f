import type { Status } from '../../admin/status.ts';
import { formatSocketAddress } from '../../config/socket-address.ts';
import { packageVersion } from '../../core/version.ts';
import type { AgentProcess } from '../agent-processes.ts';
import { type Diagnosis, error, note, ok, warning } from '../diagnosis.ts';
import type { Patient } from '../patient.ts';
import type { Check } from './check.ts';

const LOOK_FOR_POD =
  'look why: kubectl --namespace kube-system get pods --output wide --selector app.kubernetes.io/name=signpost, and the log of its last start (kubectl logs --previous)';

/** Whether the agent runs, and what it says of itself. */
export const agentCheck: Check = {
  name: 'agent',
  async look(patient) {
    return [...processes(patient), ...ownWord(patient)];
  },
};

function processes({ agents, status }: Patient): Diagnosis[] {
  const [first] = agents;
  if (first === undefined) {
    return 'failure' in status ? [error('agent-missing', 'no agent runs in this network', LOOK_FOR_POD)] : [];
  }
  const stopped = agents.filter(({ state }) => state === 'T' || state === 't');
  return [
    ...stopped.map(({ pid }) =>
      error('agent-stopped', `process ${pid} is stopped (SIGSTOP, or a debugger)`, `let it go on: kill -CONT ${pid}`),
    ),
    ...(agents.length === 1 ? [] : [several(agents, status)]),
  ];
}

/** Beside the one that serves a standby may wait; any other is there by mistake. */
function several(agents: readonly AgentProcess[], status: Patient['status']): Diagnosis {
  const pids = agents.map(({ pid }) => pid);
  const standbys = 'failure' in status ? undefined : status.handOver?.standbys.map(({ pid }) => pid);
  const others = pids.length - 1 - (standbys ?? []).filter((pid) => pids.includes(pid)).length;
  const message = `${agents.length} agents run here (processes ${pids.join(', ')}, the newest first)`;
  if (others === 0) return ok('agent-standby', `${message}: the other one waits as standby`);
  return warning(
    'agents-many',
    `${message}${standbys === undefined ? '' : `, and ${others} of them is nobody's standby`}`,
    'see which pods are on the node; agents that are to take over from each other need the same --state',
  );
}

function standbys({ handOver }: Status): Diagnosis[] {
  const waiting = handOver?.standbys ?? [];
  if (waiting.length === 0) return [];
  const named = waiting.map(({ pod, pid }) => (pod === null ? `process ${pid}` : `pod ${pod}`)).join(', ');
  return waiting.length === 1
    ? [ok('agent-has-standby', `${named} waits as standby, and takes over if this one dies`)]
    : [
        warning(
          'agent-standbys',
          `${waiting.length} standbys wait: ${named}`,
          'a roll-out leaves one at most: see which pods are on the node',
        ),
      ];
}

function ownWord({ agents, config, status }: Patient): Diagnosis[] {
  if ('failure' in status) {
    if (agents.length === 0) return [];
    if (config !== undefined && config.admin === undefined) {
      return [note('admin-off', 'it runs with --admin off, so it is not asked how it is')];
    }
    const place = config?.admin === undefined ? 'its admin address' : formatSocketAddress(config.admin);
    return [
      error(
        'agent-silent',
        `it runs, and does not answer at ${place} (--admin): ${status.failure}`,
        'kubelet restarts it when /health fails; at once: delete the pod',
      ),
    ];
  }
  const { version, uptimeSeconds, ready, reasons } = status;
  const facts = `version ${version}, up ${span(uptimeSeconds)}`;
  const missing = reasons.filter((reason) => !reason.ok).map(({ name, message }) => `${name}: ${message}`);
  const own = packageVersion();
  return [
    ready
      ? ok('agent-ready', `${facts}, ready`)
      : error(
          'agent-not-ready',
          [`${facts}, not ready:`, ...missing].join('\n'),
          'the findings below say what may be done',
        ),
    ...(version === own
      ? []
      : [note('agent-version', `this doctor is version ${own}: findings may miss what is new or gone`)]),
    ...standbys(status),
    ...reasons
      .filter((reason) => reason.ok && reason.warning === true)
      .map(({ name, message }) => warning(`agent-${name}`, `${name}: ${message}`)),
  ];
}

function span(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
