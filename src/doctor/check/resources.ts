import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnosis, error, note, ok, warning } from '../diagnosis.ts';
import type { Patient } from '../patient.ts';
import { sizeText } from '../size-text.ts';
import type { Check } from './check.ts';

/** From here on the next burst may be the end of the process. */
const NEARLY_ALL = 0.9;

/** Memory and CPU that the agent's control group is allowed: cgroup v2, or the controllers of v1. */
export const resourcesCheck: Check = {
  name: 'resources',
  async look({ agents }: Patient) {
    const [agent] = agents;
    if (agent === undefined) return [];
    const groups = await controlGroups(agent.pid);
    return [...(await memory(groups)), ...(await cpu(groups))];
  },
};

type ControlGroups = (controller: string, file: string) => Promise<string | undefined>;

/** Reads files of the process's own groups; where a container sees itself as the root of them, those lie at the top. */
async function controlGroups(pid: number): Promise<ControlGroups> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')).trim().split('\n');
  const paths = new Map<string, string>();
  for (const line of lines) {
    const [, names = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const name of names.split(',')) paths.set(name, path);
  }
  return async (controller, file) => {
    const tops = paths.has(controller)
      ? [`/sys/fs/cgroup/${controller}`]
      : ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];
    const path = paths.get(controller) ?? paths.get('') ?? '/';
    for (const top of tops) {
      for (const folder of [join(top, path), top]) {
        const text = await readFile(join(folder, file), 'utf8').catch(() => undefined);
        if (text !== undefined) return text.trim();
      }
    }
    return undefined;
  };
}

async function memory(read: ControlGroups): Promise<Diagnosis[]> {
  const most = Number((await read('memory', 'memory.max')) ?? (await read('memory', 'memory.limit_in_bytes')));
  const used = Number((await read('memory', 'memory.current')) ?? (await read('memory', 'memory.usage_in_bytes')));
  const events = (await read('memory', 'memory.events')) ?? (await read('memory', 'memory.oom_control')) ?? '';
  const kills = Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
  const findings: Diagnosis[] = [];
  if (kills > 0) {
    const remedy = 'raise the limit of memory, or lower --cache-size; while it is away the cluster DNS answers';
    findings.push(
      error('memory-killed', `the kernel has ended ${kills} processes of this container for want of memory`, remedy),
    );
  }
  // No limit is written as `max`, or as a number larger than any memory.
  if (!Number.isFinite(most) || most > 2 ** 50 || !Number.isFinite(used)) return findings;
  const message = `${sizeText(used)} of ${sizeText(most)} are in use, caches of files included`;
  findings.push(
    used < NEARLY_ALL * most
      ? ok('memory-room', message)
      : warning(
          'memory-short',
          message,
          'raise the limit of memory: what it is made of stands beside it in the manifests',
        ),
  );
  return findings;
}

async function cpu(read: ControlGroups): Promise<Diagnosis[]> {
  const [quota] = ((await read('cpu', 'cpu.max')) ?? (await read('cpu', 'cpu.cfs_quota_us')) ?? 'max').split(' ');
  if (quota === 'max' || Number(quota) <= 0) return [];
  const throttled = Number(/^nr_throttled (\d+)$/m.exec((await read('cpu', 'cpu.stat')) ?? '')?.[1] ?? 0);
  const message = `a CPU limit is set, and has stopped the agent ${throttled} times`;
  const remedy = 'take the CPU limit away: each time every pod of the node waits for its DNS';
  return [throttled === 0 ? note('cpu-limit', message, remedy) : warning('cpu-throttled', message, remedy)];
}
