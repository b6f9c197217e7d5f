import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket, type Server as TcpServer } from 'node:net';
import type { Server } from '../client/ask.ts';
import { freePort } from './free-port.ts';

/**
 * `pass`: what comes is passed on. `hole`: it is swallowed; connections are accepted, as the kernel does for a process that hangs. `reset`: nobody listens: datagrams are
 * refused, connections reset.
 */
export type PathMode = 'pass' | 'hole' | 'reset';

/** A network path of which a test can make what it likes. */
export interface FaultyPath extends Server {
  mode: PathMode;
  /** Every reply comes so much later. */
  delayMs: number;
  /** Another one holds from the next `reset` and `pass` on. */
  behind: Server;
  /** Datagrams, and pieces of streams, that came from clients. */
  readonly received: number;
  /** Resolves when the mode holds for what comes next. */
  become(mode: PathMode): Promise<void>;
  stop(): void;
}

/** UDP and TCP to `behind`, on a port of 127.0.0.1. */
export async function startFaultyPath(behind: Server): Promise<FaultyPath> {
  const path = {
    host: '127.0.0.1',
    port: await freePort(),
    behind,
    mode: 'pass' as PathMode,
    delayMs: 0,
    received: 0,
  };
  const stream = new StreamPath(path);
  const datagrams = new DatagramPath(path);
  const open = () => Promise.all([stream.open(), datagrams.open()]);
  const close = () => {
    stream.close();
    datagrams.close();
  };
  await open();
  return Object.assign(path, {
    async become(mode: PathMode) {
      const wasReset = path.mode === 'reset';
      path.mode = mode;
      if (mode === 'reset') close();
      else if (wasReset) await open();
    },
    stop: close,
  });
}

interface Path extends Server {
  behind: Server;
  mode: PathMode;
  delayMs: number;
  received: number;
}

class StreamPath {
  readonly #path: Path;
  readonly #sockets = new Set<Socket>();
  #listener: TcpServer | undefined;

  constructor(path: Path) {
    this.#path = path;
  }

  async open(): Promise<void> {
    this.#listener = createServer({ noDelay: true }, (socket) => this.#join(socket));
    this.#listener.listen(this.#path.port, this.#path.host);
    await once(this.#listener, 'listening');
  }

  close(): void {
    this.#listener?.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #join(client: Socket): void {
    const path = this.#path;
    const server = connect({ host: path.behind.host, port: path.behind.port, noDelay: true });
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket.on('error', end).once('close', () => this.#sockets.delete(socket)));
      socket.once('close', end);
    }
    client.on('data', (chunk) => {
      path.received++;
      if (path.mode === 'pass') server.write(chunk);
    });
    server.on('data', (chunk) => {
      const pass = (): void => void (path.mode === 'pass' && !client.destroyed && client.write(chunk));
      if (path.delayMs > 0) setTimeout(pass, path.delayMs);
      else pass();
    });
  }
}

/** All clients' datagrams leave from one socket, each with an ID of its own. */
class DatagramPath {
  readonly #path: Path;
  readonly #asked = new Map<number, { from: RemoteInfo; id: number }>();
  #front: UdpSocket | undefined;
  #back: UdpSocket | undefined;
  #nextId = 0;

  constructor(path: Path) {
    this.#path = path;
  }

  async open(): Promise<void> {
    const front = createSocket('udp4');
    const back = createSocket('udp4');
    this.#front = front;
    this.#back = back;
    front.on('message', (query, from) => this.#ask(query, from));
    back.on('message', (reply) => this.#answer(reply));
    // Nobody listens behind: as silent as the path itself.
    back.on('error', () => {});
    front.bind(this.#path.port, this.#path.host);
    back.connect(this.#path.behind.port, this.#path.behind.host);
    await Promise.all([once(front, 'listening'), once(back, 'connect')]);
  }

  close(): void {
    this.#front?.close();
    this.#back?.close();
    this.#front = undefined;
    this.#back = undefined;
  }

  #ask(query: Buffer, from: RemoteInfo): void {
    this.#path.received++;
    if (this.#path.mode !== 'pass' || query.length < 12) return;
    this.#nextId = (this.#nextId + 1) & 0xffff;
    this.#asked.set(this.#nextId, { from, id: query.readUInt16BE(0) });
    query.writeUInt16BE(this.#nextId, 0);
    this.#back?.send(query);
  }

  #answer(reply: Buffer): void {
    const asked = this.#asked.get(reply.readUInt16BE(0));
    this.#asked.delete(reply.readUInt16BE(0));
    if (asked === undefined) return;
    const { from, id } = asked;
    reply.writeUInt16BE(id, 0);
    const pass = (): void => {
      if (this.#path.mode === 'pass') this.#front?.send(reply, from.port, from.address);
    };
    if (this.#path.delayMs > 0) setTimeout(pass, this.#path.delayMs);
    else pass();
  }
}
