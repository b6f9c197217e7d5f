import { readFileSync } from 'node:fs';

/** What the kernel knows of the processes that are measured, read from /proc. */

/** USER_HZ, in which /proc/PID/stat counts; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const ESTABLISHED = '01';

/** CPU time of all threads of the process, user and system, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the program's name in brackets, which may have spaces: count from its end, where the third field begins.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Anonymous resident memory in MB (10^6 bytes): heap, stacks and buffers, but no file pages, which processes share. */
export function anonymousMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return (Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6;
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
