import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel knows of the processes that are measured, read from /proc. */

const ESTABLISHED = '01';

/**
 * CPU time of the threads that the process has, user and system, in seconds. From the scheduler's own count: /proc/PID/stat has
 * steps of 10 ms, too coarse for a server that is asked little.
 */
export function cpuSeconds(pid: number): number {
  const folder = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(folder).map((thread) => readFileSync(`${folder}/${thread}/schedstat`, 'latin1'));
  return nanoseconds.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / 1e9;
}

/** Ticks of /proc/PID/stat in a second; 100 on all that we know. */
const TICKS_A_SECOND = 100;

/** The same of a process, the children that it has, and those of its children that have ended. */
export function cpuSecondsOfAll(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean);
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // Behind the name, which may have spaces: state first, and the 14th and 15th are the time of children that were waited for.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ended = (Number(fields[13]) + Number(fields[14])) / TICKS_A_SECOND;
  return children.reduce((sum, child) => sum + cpuSecondsOfAll(Number(child)), cpuSeconds(pid) + ended);
}

/** The process's child that runs this program. */
export function childOf(pid: number, program: string): number {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').trim().split(' ').filter(Boolean),
  );
  const found = children.find((child) =>
    readFileSync(`/proc/${child}/cmdline`, 'latin1').split('\0', 1)[0]!.endsWith(`/${program}`),
  );
  if (found === undefined) throw new Error(`Process ${pid} has no child that runs ${program}`);
  return Number(found);
}

export interface CoreTime {
  readonly busy: number;
  readonly total: number;
}

/** Since the machine started, in ticks; by the text of /proc/stat. */
export function coreTime(core: number, text = readFileSync('/proc/stat', 'latin1')): CoreTime {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(text)?.[1];
  if (line === undefined) throw new Error(`Cannot read the time of core ${core}: it is not in /proc/stat`);
  const ticks = line.split(' ').map(Number);
  // user nice system idle iowait irq softirq steal, then guests, which user has in it already
  const total = ticks.slice(0, 8).reduce((sum, each) => sum + each, 0);
  return { busy: total - ticks[3]! - ticks[4]!, total };
}

/** How much of its time between two readings a core was not idle. */
export function busyPercent(before: CoreTime, after: CoreTime): number {
  return ((after.busy - before.busy) * 100) / Math.max(1, after.total - before.total);
}

/** Anonymous resident memory in MB (10^6 bytes): heap, stacks and buffers, but no file pages, which processes share. */
export function anonymousMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return (Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6;
}

/** Files, sockets and the like that a process has open. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Established TCP connections to a port of 127.0.0.1, counted at the end that connected. */
export function connectionsTo(port: number): number {
  return countEstablished(readFileSync('/proc/net/tcp', 'latin1'), port);
}

/** Counts in the text of /proc/net/tcp. */
export function countEstablished(table: string, remotePort: number): number {
  const remote = `:${remotePort.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  return rows.filter((fields) => fields[2]?.endsWith(remote) && fields[3] === ESTABLISHED).length;
}
