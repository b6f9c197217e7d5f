import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { UpstreamAddress } from '../config/config.ts';

/** Servers send two tickets a connection; more than this are of no use to two connections. */
const TICKETS = 4;

/**
 * What the connections to one server have in common: the authorities that are trusted, read once, and the server's tickets, with which the next
 * handshake is one without certificates (RFC 8446, section 2.2). A ticket is used once where there is another, so that nobody can tell by it that two connections
 * are of one client.
 */
export class TlsMemory {
  readonly context: SecureContext;
  #tickets: Buffer[] = [];
  /** A resumed handshake shows no certificate: from here on one has to be shown. */
  #validToMs = Number.NEGATIVE_INFINITY;
  /** Read by the metrics: handshakes, and how many of them were resumed. */
  handshakes = 0;
  resumed = 0;

  constructor({ ca }: UpstreamAddress) {
    this.context = createSecureContext({ ...(ca !== undefined && { ca }), minVersion: 'TLSv1.2' });
  }

  /** The latest ticket, which is given away unless it is the only one (not every server sends new ones), or undefined. */
  take(): Buffer | undefined {
    if (Date.now() >= this.#validToMs) this.#tickets = [];
    return this.#tickets.length > 1 ? this.#tickets.pop() : this.#tickets[0];
  }

  /** Keeps what a new connection's server gives. */
  watch(socket: TLSSocket): void {
    socket.on('session', (ticket) => this.#keep(ticket));
    socket.once('secureConnect', () => {
      this.handshakes++;
      if (socket.isSessionReused()) {
        this.resumed++;
        return;
      }
      // The server does not know the old ones any more.
      this.#tickets = [];
      this.#validToMs = socket.getPeerX509Certificate()?.validToDate.getTime() ?? Number.NEGATIVE_INFINITY;
    });
  }

  #keep(ticket: Buffer): void {
    this.#tickets.push(ticket);
    if (this.#tickets.length > TICKETS) this.#tickets.shift();
  }
}
