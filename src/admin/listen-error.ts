import type { SocketAddress } from '../config/config.ts';
import { StartError } from '../core/errors.ts';

/** Why an HTTP server could not listen, and what to do about it. */
export function listenError(error: NodeJS.ErrnoException, { host, port }: SocketAddress, option: string): StartError {
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const start = `Cannot listen on ${place} (${option})`;
  const elsewhere = `choose another with ${option} IP:PORT or turn it off with ${option} off`;
  const options = { cause: error };
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(
        'ERR_ADDRESS_IN_USE',
        `${start}: the port is in use; end what holds it, ${elsewhere}`,
        options,
      );
    case 'EADDRNOTAVAIL':
      return new StartError('ERR_ADDRESS_ABSENT', `${start}: no interface has this address; ${elsewhere}`, options);
    case 'EACCES':
      return new StartError('ERR_ADDRESS_DENIED', `${start}: not permitted to open this port; ${elsewhere}`, options);
    default:
      return new StartError('ERR_ADDRESS', `${start}: ${error.message}; ${elsewhere}`, options);
  }
}
