import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { UpstreamAddress } from '../../../src/config/config.ts';
import * as http2 from '../../../src/wire/http2.ts';
import { DNS_MESSAGE } from './scripted-doh.ts';
import { answerTo } from './scripted-server.ts';
import { authority } from './scripted-tls.ts';

/** One frame as bytes. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(http2.FRAME_HEAD);
  http2.writeFrameHead(head, 0, body.length, type, flags, stream);
  return Buffer.concat([head, body]);
}

/** The payload of a SETTINGS frame. */
export function settings(...pairs: readonly (readonly [name: number, value: number])[]): Buffer {
  return Buffer.concat(
    pairs.map(([name, value]) => {
      const pair = Buffer.alloc(6);
      pair.writeUInt16BE(name);
      pair.writeUInt32BE(value, 2);
      return pair;
    }),
  );
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A header block with every field in full. */
export function block(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
  return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

export const GOOD = block({ ':status': '200', 'content-type': DNS_MESSAGE });

/** The frames of a good answer. */
export function answer(stream: number, query: Buffer, head = GOOD): Buffer {
  return Buffer.concat([
    frame(http2.FRAME_HEADERS, http2.FLAG_END_HEADERS, stream, head),
    frame(http2.FRAME_DATA, http2.FLAG_END_STREAM, stream, answerTo(query)),
  ]);
}

export interface Request {
  readonly stream: number;
  readonly query: Buffer;
  /** From 1. */
  readonly connection: number;
  send(...frames: readonly Buffer[]): void;
}

export interface Http2Script {
  /** What the server begins with; empty SETTINGS where not given. */
  readonly hello?: Buffer;
  /** A head came, its body may not have. */
  readonly onHead?: (request: Omit<Request, 'query'>) => void;
  readonly onRequest: (request: Request) => void;
}

/** A server of HTTP/2 that sends any bytes: for faults of which no library is capable. */
export class ScriptedHttp2 {
  readonly received: Request[] = [];
  accepted = 0;
  readonly #raw = new Set<Socket>();
  readonly #script: Http2Script;
  readonly #server: Server;

  constructor(script: Http2Script) {
    this.#script = script;
    const options = { ...authority.issue({ names: ['127.0.0.1'] }), ALPNProtocols: ['h2'] };
    this.#server = createServer(options, (socket) => this.#onConnection(socket));
    this.#server.on('connection', (socket: Socket) => {
      this.#raw.add(socket);
      socket.on('close', () => this.#raw.delete(socket));
    });
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

  #onConnection(socket: TLSSocket): void {
    const connection = ++this.accepted;
    const { hello = frame(http2.FRAME_SETTINGS, 0, 0), onHead, onRequest } = this.#script;
    const send = (...frames: readonly Buffer[]): void => void socket.write(Buffer.concat(frames));
    socket.on('error', () => {});
    send(hello);
    const bodies = new Map<number, Buffer>();
    const sink: http2.Http2Sink = {
      onTooLong: () => socket.destroy(),
      onFrame: (type, flags, stream, bytes, start, end) => {
        if (type === http2.FRAME_HEADERS) onHead?.({ stream, connection, send });
        if (type !== http2.FRAME_DATA) return true;
        const query = Buffer.concat([bodies.get(stream) ?? Buffer.alloc(0), bytes.subarray(start, end)]);
        bodies.set(stream, query);
        if ((flags & http2.FLAG_END_STREAM) === 0) return true;
        bodies.delete(stream);
        const request = { stream, query, connection, send };
        this.received.push(request);
        onRequest(request);
        return true;
      },
    };
    const reader = new http2.Http2Reader();
    let preface = http2.PREFACE.length;
    socket.on('data', (chunk: Buffer) => {
      const skipped = Math.min(preface, chunk.length);
      preface -= skipped;
      reader.read(chunk, skipped, chunk.length, sink);
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#raw) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
