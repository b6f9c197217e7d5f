import { isIP } from 'node:net';

/**
 * Whether a Host header names this machine by address. A page from elsewhere whose name was made to resolve to loopback (DNS rebinding)
 * comes with that name, and a browser lets it read what it gets. HTTP/1.0 has none, and no browser speaks it.
 */
export function isLocalHost(header: string | undefined): boolean {
  if (header === undefined) return true;
  const name = header.replace(/:\d*$/, '');
  if (name.startsWith('[') && name.endsWith(']')) return isIP(name.slice(1, -1)) === 6;
  return isIP(name) === 4 || name.toLowerCase() === 'localhost';
}

/** Whether a request that changes something comes from a page of another site. Browsers say so in Origin; programs send none. */
export function isForeignOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin !== undefined && origin !== `http://${host}`;
}
