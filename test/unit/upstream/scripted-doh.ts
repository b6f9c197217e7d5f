import { once } from 'node:events';
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { UpstreamAddress } from '../../../src/config/config.ts';
import { answerTo } from './scripted-server.ts';
import { authority } from './scripted-tls.ts';

export const DNS_MESSAGE = 'application/dns-message';

export interface DohQuestion {
  readonly headers: IncomingHttpHeaders;
  readonly query: Buffer;
  /** First label of the name. */
  readonly label: string;
  readonly stream: ServerHttp2Stream;
  /** 200, with this body. */
  reply(message: Uint8Array): void;
  /** Another status, with these fields. */
  refuse(status: number, fields?: Record<string, string>): void;
}

export type DohScript = (question: DohQuestion) => void;

/** Answers every question well. */
export const answerAllDoh: DohScript = ({ query, reply }) => reply(answerTo(query));

/** A server of DNS over HTTPS that does what a test says; the real HTTP/2 of Node is on its side. */
export class ScriptedDoh {
  readonly received: DohQuestion[] = [];
  readonly sessions = new Set<ServerHttp2Session>();
  /** Sessions so far. */
  accepted = 0;
  script: DohScript;
  readonly #raw = new Set<Socket>();
  readonly #server: Http2SecureServer;

  constructor(script: DohScript, options: SecureServerOptions = {}) {
    this.script = script;
    this.#server = createSecureServer({ ...authority.issue({ names: ['127.0.0.1', 'dns.test'] }), ...options });
    this.#server.on('connection', (socket: Socket) => {
      this.#raw.add(socket);
      socket.on('close', () => this.#raw.delete(socket));
    });
    this.#server.on('session', (session) => {
      this.accepted++;
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session));
      session.on('error', () => {});
    });
    this.#server.on('sessionError', () => {});
    this.#server.on('stream', (stream, headers) => this.#onStream(stream as ServerHttp2Stream, headers));
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get address(): UpstreamAddress {
    const { port } = this.#server.address() as AddressInfo;
    return { host: '127.0.0.1', port, transport: 'https', path: '/dns-query', ca: authority.cert };
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const query = Buffer.concat(chunks);
      const refuse = (status: number, fields: Record<string, string> = {}): void => {
        if (!stream.closed) stream.respond({ ':status': status, ...fields }, { endStream: true });
      };
      const reply = (message: Uint8Array): void => {
        if (stream.closed || stream.destroyed) return;
        stream.respond({ ':status': 200, 'content-type': DNS_MESSAGE });
        stream.end(message);
      };
      const question = { headers, query, stream, reply, refuse, label: query.toString('latin1', 13, 13 + query[12]!) };
      this.received.push(question);
      this.script(question);
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#raw) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
