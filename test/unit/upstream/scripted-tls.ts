import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { UpstreamAddress } from '../../../src/config/config.ts';
import { CertificateAuthority, type CertificateOptions } from '../../servers/certificate-authority.ts';
import { answerTo, framed } from './scripted-server.ts';

export const authority = new CertificateAuthority();

export interface TlsQuestion {
  readonly query: Buffer;
  /** First label of the name. */
  readonly label: string;
  readonly socket: TLSSocket;
  reply(message: Uint8Array): void;
}

export type TlsScript = (question: TlsQuestion) => void;

/** Answers every question well. */
export const answerAllTls: TlsScript = ({ query, reply }) => reply(answerTo(query));

/** A server of DNS over TLS that does what a test says. */
export class ScriptedTls {
  readonly received: TlsQuestion[] = [];
  readonly sockets = new Set<TLSSocket>();
  /** Handshakes that were done, and those of them that began with a ticket: the server's own view. */
  handshakes = 0;
  resumed = 0;
  /** Of the names that came in handshakes, the last; false: none came. */
  serverName: string | false | null = null;
  script: TlsScript;
  /** Those in the midst of a handshake included. */
  readonly #raw = new Set<Socket>();
  readonly #options: TlsOptions;
  #server: Server;
  #port = 0;

  constructor(script: TlsScript, certificate: CertificateOptions, options: TlsOptions = {}) {
    this.script = script;
    this.#options = { ...authority.issue(certificate), ALPNProtocols: ['dot'], ...options };
    this.#server = this.#make();
  }

  #make(): Server {
    const server = createServer(this.#options, (socket) => this.#onConnection(socket));
    server.on('connection', (socket: Socket) => {
      this.#raw.add(socket);
      socket.on('close', () => this.#raw.delete(socket));
    });
    return server;
  }

  async start(): Promise<this> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  get address(): UpstreamAddress {
    return { host: '127.0.0.1', port: this.#port, transport: 'tls', ca: authority.cert };
  }

  #onConnection(socket: TLSSocket): void {
    this.handshakes++;
    if (socket.isSessionReused()) this.resumed++;
    this.serverName = (socket as TLSSocket & { servername: string | false | null }).servername;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const query = rest.subarray(2, 2 + rest.readUInt16BE(0));
        rest = rest.subarray(2 + query.length);
        const reply = (message: Uint8Array): void => void socket.write(framed(message));
        const question = { query, socket, reply, label: query.toString('latin1', 13, 13 + query[12]!) };
        this.received.push(question);
        this.script(question);
      }
    });
  }

  /** Ends all connections hard, and takes new ones again on the same port, with new ticket keys: what a restart is for its clients. */
  async restart(): Promise<void> {
    await this.close();
    this.#server = this.#make();
    await this.start();
  }

  async close(): Promise<void> {
    for (const socket of this.#raw) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}
