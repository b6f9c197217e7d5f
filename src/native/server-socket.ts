import type { Server } from 'node:net';
import { descriptorOf, duplicate } from './descriptors.ts';
import type { Libc } from './libc.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** A wildcard of IPv6 does not take IPv4 as well. */
  readonly ipv6Only: boolean;
}

/**
 * The listening socket of a node:net server (or one of node:http, which is the same), as something that can be taken over from another process, given to one, and kept while
 * that one accepts. Connections are not its business: those that were accepted stay with the server.
 */
export class ServerSocket {
  readonly #server: Server;
  readonly #backlog: number;
  readonly #libc: Libc | undefined;
  /** The socket while nobody here accepts on it. */
  #kept = -1;

  /** Without `libc` the socket can be neither kept nor passed. */
  constructor(server: Server, backlog: number, libc: Libc | undefined) {
    this.#server = server;
    this.#backlog = backlog;
    this.#libc = libc;
  }

  /** Binds the address, or accepts on `adopted`, which is the server's from then on. Rejects with what the system said. */
  async open({ host, port, ipv6Only }: ServerAddress, adopted: number | undefined): Promise<void> {
    if (adopted !== undefined) await this.#listen({ fd: adopted });
    else await this.#listen({ host, port, exclusive: true, ipv6Only });
  }

  /** What a successor is given; -1 where it cannot be. */
  get descriptor(): number {
    if (this.#libc === undefined) return -1;
    return this.#kept === -1 ? descriptorOf(this.#server) : this.#kept;
  }

  /** Accepts no more and keeps the socket: connections wait in it for whoever accepts. */
  pause(): void {
    const descriptor = descriptorOf(this.#server);
    if (this.#libc === undefined || descriptor === -1 || this.#kept !== -1) return;
    this.#kept = duplicate(this.#libc, descriptor);
    this.#server.close();
  }

  /** Accepts again after `pause`. */
  async resume(): Promise<void> {
    if (this.#kept === -1) return;
    const fd = this.#kept;
    this.#kept = -1;
    await this.#listen({ fd });
  }

  /** For good. */
  close(): void {
    if (this.#kept !== -1) this.#libc?.close(this.#kept);
    this.#kept = -1;
    this.#server.close();
  }

  #listen(
    where: { fd: number } | { host: string; port: number; exclusive: boolean; ipv6Only: boolean },
  ): Promise<void> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const onListening = (): void => {
        server.off('error', onError);
        resolve();
      };
      const onError = (error: Error): void => {
        server.off('listening', onListening);
        reject(error);
      };
      server.once('listening', onListening);
      server.once('error', onError);
      server.listen({ ...where, backlog: this.#backlog });
    });
  }
}
