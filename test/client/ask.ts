import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { decodeMessage, encodeQuestion, type Message, type QuestionOptions } from './message.ts';

export interface Server {
  readonly host: string;
  readonly port: number;
}

export interface AskOptions extends QuestionOptions {
  /** Default: UDP. */
  readonly overTcp?: boolean;
  /** Whom the question comes from, over UDP: an address of this machine. */
  readonly from?: string;
  /** Default 8 s: longer than anything that is asked of the agent may take. */
  readonly limitMs?: number;
}

/** One question, one answer, on a socket of its own. Rejects where none comes in time. */
export async function ask(
  server: Server,
  { overTcp = false, limitMs = 8000, from, ...question }: AskOptions,
): Promise<Message> {
  const query = encodeQuestion({ id: Math.floor(Math.random() * 65_536), ...question });
  const bytes = overTcp ? await exchangeTcp(server, query, limitMs) : await exchangeUdp(server, query, limitMs, from);
  const reply = decodeMessage(bytes);
  if (reply.id !== query.readUInt16BE(0)) throw new Error(`A reply with ID ${reply.id} to ${query.readUInt16BE(0)}`);
  return reply;
}

/** Sends `query` as it is in one datagram, from a socket that hears this server alone; its reply. */
export async function exchangeUdp(server: Server, query: Uint8Array, limitMs = 8000, from?: string): Promise<Buffer> {
  const socket = createSocket(server.host.includes(':') ? 'udp6' : 'udp4');
  try {
    if (from !== undefined) {
      socket.bind(0, from);
      await once(socket, 'listening');
    }
    socket.connect(server.port, server.host);
    await once(socket, 'connect');
    socket.send(query);
    const [reply] = await once(socket, 'message', { signal: AbortSignal.timeout(limitMs) });
    return reply;
  } catch (error) {
    throw new Error(`No UDP answer from ${server.host}:${server.port} within ${limitMs} ms`, { cause: error });
  } finally {
    socket.close();
  }
}

/** Sends `query` as one frame on a connection of its own; the first frame that comes back. */
export async function exchangeTcp(server: Server, query: Uint8Array, limitMs = 8000): Promise<Buffer> {
  const connection = await TcpClient.connect(server);
  try {
    connection.send(frame(query));
    return await connection.next(limitMs);
  } finally {
    connection.close();
  }
}

/** `message` behind its length (RFC 1035, section 4.2.2). */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(2 + message.length);
  framed.writeUInt16BE(message.length);
  framed.set(message, 2);
  return framed;
}

/** One TCP connection to a DNS server; its frames in the order in which they came. */
export class TcpClient {
  readonly socket;
  readonly #frames: Buffer[] = [];
  #rest = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #end: Error | undefined;

  private constructor(server: Server) {
    this.socket = connect(server.port, server.host);
    this.socket.on('data', (chunk) => this.#read(chunk as Buffer));
    this.socket.on('error', (error) => this.#finish(error));
    this.socket.on('close', () => this.#finish(new Error('The connection was closed')));
  }

  static async connect(server: Server): Promise<TcpClient> {
    const client = new TcpClient(server);
    await once(client.socket, 'connect');
    return client;
  }

  get isClosed(): boolean {
    return this.#end !== undefined;
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The next frame's message. Rejects where none comes in time or the connection ends before. */
  async next(limitMs = 8000): Promise<Buffer> {
    const signal = AbortSignal.timeout(limitMs);
    for (;;) {
      const message = this.#frames.shift();
      if (message !== undefined) return message;
      if (this.#end !== undefined) throw this.#end;
      await this.#news(signal, limitMs);
    }
  }

  /** Resolves once the other end has closed. */
  async closed(limitMs = 15_000): Promise<void> {
    const signal = AbortSignal.timeout(limitMs);
    while (this.#end === undefined) await this.#news(signal, limitMs);
  }

  close(): void {
    this.socket.destroy();
  }

  #news(signal: AbortSignal, limitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(new Error(`Nothing came on the connection within ${limitMs} ms`));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#wake = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
    });
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 2 && this.#rest.length >= 2 + this.#rest.readUInt16BE()) {
      const end = 2 + this.#rest.readUInt16BE();
      this.#frames.push(this.#rest.subarray(2, end));
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake?.();
  }

  #finish(error: Error): void {
    this.#end ??= error;
    this.#wake?.();
  }
}
