import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { exchangeTcp, frame, type Server } from '../client/ask.ts';
import { freePort } from './free-port.ts';

/** Where the question's name begins (RFC 1035, section 4.1.1). */
const HEADER_LENGTH = 12;

/** One query that reached the liar, and its means to answer it. */
export interface Lie {
  readonly query: Buffer;
  /** What the honest server behind it says. */
  readonly truth: Buffer;
  readonly overTcp: boolean;
  /** One message: a datagram, or a frame. */
  send(message: Uint8Array): void;
  /** Bytes as they are, with no length before them. TCP alone. */
  write(bytes: Uint8Array): void;
  /** Closes the connection. TCP alone. */
  close(): void;
  /** A datagram from another port than was asked. UDP alone. */
  sendFromElsewhere(message: Uint8Array): void;
}

export type Behaviour = (lie: Lie) => void;

/** Answers as the server behind it would. */
export const honest: Behaviour = (lie) => lie.send(lie.truth);

export interface Liar extends Server {
  /** What happens to queries from now on. */
  behave(behaviour: Behaviour): void;
  /** Clients' queries since the start: those for the root are the agent's own, which come when it likes. */
  readonly count: number;
  /** Those of them that came while the same question was unanswered: the agent asks again where an answer is slow, be it for want of a processor. */
  readonly repeats: number;
  /** TCP connections that are open. */
  readonly connections: number;
  /** Connections that were ever opened. */
  readonly accepted: number;
  closeConnections(): void;
  stop(): void;
}

/** A DNS server that gets its answers from `behind` and does with them what a test says; UDP and TCP, each its own socket. By default on a free port of 127.0.0.1. */
export async function startLiar(behind: Server, at?: Server): Promise<Liar> {
  const server = at ?? { host: '127.0.0.1', port: await freePort() };
  const udp = createSocket('udp4');
  const elsewhere = createSocket('udp4');
  const tcp = createServer({ noDelay: true });
  const sockets = new Set<Socket>();
  const state = { behaviour: honest, count: 0, repeats: 0, accepted: 0, isOpen: true };
  const unanswered = new Set<string>();

  const answer = async (query: Buffer, means: Omit<Lie, 'query' | 'truth'>): Promise<void> => {
    // But for its ID.
    const question = query.toString('latin1', 2);
    if (query[HEADER_LENGTH] !== 0) {
      state.count++;
      if (unanswered.has(question)) state.repeats++;
    }
    unanswered.add(question);
    const behaviour = state.behaviour;
    const truth = await exchangeTcp(behind, query).catch(() => query);
    behaviour({ query, truth, ...means });
    unanswered.delete(question);
  };
  udp.on('message', (query, from) => answer(query, udpMeans(from)));
  tcp.on('connection', (socket) => {
    state.accepted++;
    sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)));
    readFrames(socket, (query) => answer(query, tcpMeans(socket)));
  });
  const udpMeans = (from: RemoteInfo): Omit<Lie, 'query' | 'truth'> => ({
    overTcp: false,
    send: (message) => {
      if (state.isOpen) udp.send(message, from.port, from.address);
    },
    sendFromElsewhere: (message) => {
      if (state.isOpen) elsewhere.send(message, from.port, from.address);
    },
    write() {},
    close() {},
  });

  udp.bind(server.port, server.host);
  tcp.listen(server.port, server.host);
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  return {
    ...server,
    behave: (behaviour) => (state.behaviour = behaviour),
    get count() {
      return state.count;
    },
    get repeats() {
      return state.repeats;
    },
    get connections() {
      return sockets.size;
    },
    get accepted() {
      return state.accepted;
    },
    closeConnections() {
      for (const socket of sockets) socket.destroy();
    },
    stop() {
      state.isOpen = false;
      for (const socket of sockets) socket.destroy();
      for (const end of [udp, elsewhere, tcp]) end.close();
    },
  };
}

function tcpMeans(socket: Socket): Omit<Lie, 'query' | 'truth'> {
  return {
    overTcp: true,
    send: (message) => socket.write(frame(message)),
    write: (bytes) => socket.write(bytes),
    close: () => socket.end(),
    sendFromElsewhere() {},
  };
}

function readFrames(socket: Socket, onMessage: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE()) {
      const end = 2 + rest.readUInt16BE();
      onMessage(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
  });
}
