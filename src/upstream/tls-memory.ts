import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { UpstreamAddress } from '../config/config.ts';

/** Servers send two tickets a connection; more than this are of no use to two connections. */
const TICKETS = 4;

/**
 * What the connections to one server have in common: the authorities that are trusted, read once, and the server's tickets, with which the next
 * handshake is one without certificates (RFC 8446, section 2.2). A ticket is used once, so that nobody can tell by it that two connections are of one client.
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

  /** The latest ticket, which is given away, or undefined. */
  take(): Buffer | undefined {
    if (Date.now() >= this.#validToMs) this.#tickets = [];
    return this.#tickets.pop();
  }

  /** Keeps what a new connection's server gives. */
  watch(socket: TLSSocket): void {
    socket.on('session', (ticket) => this.#keep(ticket));
    socket.once('secureConnect', () => {
      this.handshakes++;
      if (!socket.isSessionReused()) {
        this.#validToMs = socket.getPeerX509Certificate()?.validToDate.getTime() ?? Number.NEGATIVE_INFINITY;
        return;
      }
      this.resumed++;
      // TLS 1.2 may not send a new one, and there the old one is as good again.
      const session = socket.getProtocol() === 'TLSv1.2' ? socket.getSession() : undefined;
      if (session !== undefined) this.#keep(session);
    });
  }

  #keep(ticket: Buffer): void {
    this.#tickets.push(ticket);
    if (this.#tickets.length > TICKETS) this.#tickets.shift();
  }
}
