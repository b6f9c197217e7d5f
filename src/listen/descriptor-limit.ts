import { readFileSync } from 'node:fs';
import { TCP_CONNECTIONS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';

/** Not for TCP clients: 16 upstreams x (8 TCP connections + 16 UDP sockets) + 2 x 64 of HTTP = 512; listeners and the event loop's are few. */
const OWN_DESCRIPTORS = 512;

/**
 * Lowers the limit of TCP connections to what the process may have open, and says so. `limits` is the text of /proc/self/limits; Node has raised the soft
 * limit to the hard one when it started.
 */
export function fitToDescriptors(log: Logger, limits = readLimits()): void {
  const descriptors = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  const connections = Math.max(descriptors - OWN_DESCRIPTORS, Math.floor(descriptors / 2));
  const wanted = TCP_CONNECTIONS.value;
  if (connections >= wanted) return;
  TCP_CONNECTIONS.value = connections;
  log.warn(
    { descriptors, connections, wanted },
    'fewer TCP connections than wanted: the limit of open files is low (ulimit -n, LimitNOFILE)',
  );
}

/** Empty off Linux: what may be open is then not known. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}
