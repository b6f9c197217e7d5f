import * as dgram from 'node:dgram';
import { once } from 'node:events';
import * as net from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { FrameReader } from '../wire/framing.ts';
import type { AnswerSource } from './answer-source.ts';
import { replyTo } from './message-reply.ts';

const HOST = '127.0.0.1';
/** As CoreDNS has it, so that the agent meets the same server here as in a cluster. */
const IDLE_MS = 10_000;
/** 64 connections x (a socket and its buffers, about 32 KiB) = 2 MiB; the agent opens 2, and up to 8 in trouble. More are refused. */
const MAX_CONNECTIONS = 64;
/** The free port that the system gives for UDP may be taken for TCP. */
const BIND_TRIES = 10;

/** A small DNS server on a free port of loopback, for UDP and for TCP, where queries may come in a row and are answered in turn. */
export class DnsServer {
  readonly address: SocketAddress;
  readonly #udp: dgram.Socket;
  readonly #tcp: net.Server;
  readonly #connections = new Set<net.Socket>();

  private constructor(udp: dgram.Socket, tcp: net.Server, source: AnswerSource) {
    this.address = { host: HOST, port: udp.address().port };
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on('message', (query, { address, port }) => {
      const reply = replyTo(query, source, false);
      if (reply !== undefined) udp.send(reply, port, address, ignore);
    });
    udp.on('error', ignore);
    tcp.maxConnections = MAX_CONNECTIONS;
    tcp.on('error', ignore);
    tcp.on('connection', (connection) => this.#serve(connection, source));
  }

  /** Answers from `source` as soon as this resolves. */
  static async open(source: AnswerSource): Promise<DnsServer> {
    for (let left = BIND_TRIES; ; left--) {
      const udp = dgram.createSocket('udp4');
      udp.bind(0, HOST);
      await once(udp, 'listening');
      const tcp = net.createServer({ noDelay: true });
      tcp.listen(udp.address().port, HOST);
      try {
        await once(tcp, 'listening');
        return new DnsServer(udp, tcp, source);
      } catch (error) {
        udp.close();
        if (left === 0) throw error;
      }
    }
  }

  async close(): Promise<void> {
    const closed = Promise.all([once(this.#udp, 'close'), once(this.#tcp, 'close')]);
    this.#udp.close();
    this.#tcp.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #serve(connection: net.Socket, source: AnswerSource): void {
    const reader = new FrameReader();
    const sink = {
      onFrame(bytes: Uint8Array, start: number, end: number): void {
        const reply = replyTo(bytes.subarray(start, end), source, true);
        if (reply === undefined) return;
        connection.write(Uint8Array.of(reply.length >> 8, reply.length & 0xff));
        connection.write(reply);
      },
    };
    this.#connections.add(connection);
    connection.setTimeout(IDLE_MS, () => connection.destroy());
    connection.on('data', (chunk: Buffer) => {
      connection.cork();
      reader.read(chunk, 0, chunk.length, sink);
      connection.uncork();
      // Whoever does not read answers is asked for no more questions.
      if (connection.writableNeedDrain) connection.pause();
    });
    connection.on('drain', () => connection.resume());
    connection.on('error', ignore);
    connection.on('close', () => this.#connections.delete(connection));
  }
}

/** The other end is gone: it asks again if it wants to know. */
function ignore(): void {}
