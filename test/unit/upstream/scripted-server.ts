import { createSocket, type Socket as UdpServer } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../servers/free-port.ts';

/** One question that a scripted server received. */
export interface Received {
  readonly query: Buffer;
  /** First label of the name, as it came. */
  readonly label: string;
  readonly overTcp: boolean;
  /** 1 for the first TCP connection. */
  readonly connection: number;
  readonly socket: Socket | undefined;
  /** Sends one message, framed over TCP. */
  reply(message: Uint8Array): void;
  /** Sends bytes as they are. */
  raw(bytes: Uint8Array): void;
}

export type Script = (received: Received) => void;

/** A DNS server over UDP and TCP on one port, which does what a test says: for faults that no real server would show. */
export class ScriptedServer {
  readonly host = '127.0.0.1';
  readonly received: Received[] = [];
  readonly sockets = new Set<Socket>();
  /** From which questions came over UDP. */
  readonly ports = new Set<number>();
  /** Called with where a datagram came from. */
  onDatagram: (address: string) => void = () => {};
  /** TCP connections so far. */
  connections = 0;
  script: Script;
  #tcp: Server;
  #udp: UdpServer;
  #port = 0;
  #isUdpOpen = true;

  private constructor(script: Script) {
    this.script = script;
    this.#tcp = createServer((socket) => this.#onConnection(socket));
    this.#udp = createSocket('udp4');
    this.#udp.on('message', (query, from) => {
      this.ports.add(from.port);
      this.onDatagram(from.address);
      const send = (bytes: Uint8Array): void => {
        if (this.#isUdpOpen) this.#udp.send(bytes, from.port, from.address);
      };
      this.#receive({ query, overTcp: false, connection: 0, socket: undefined, raw: send, reply: send });
    });
  }

  static async start(script: Script): Promise<ScriptedServer> {
    const server = new ScriptedServer(script);
    server.#port = await freePort();
    server.#udp.bind(server.#port, server.host);
    await once(server.#udp, 'listening');
    await server.startTcp();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get address(): { host: string; port: number } {
    return { host: this.host, port: this.#port };
  }

  #onConnection(socket: Socket): void {
    const connection = ++this.connections;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const query = rest.subarray(2, 2 + rest.readUInt16BE(0));
        rest = rest.subarray(2 + query.length);
        const raw = (bytes: Uint8Array): void => void socket.write(bytes);
        this.#receive({ query, overTcp: true, connection, socket, raw, reply: (message) => raw(framed(message)) });
      }
    });
  }

  #receive(received: Omit<Received, 'label'>): void {
    const { query } = received;
    const whole = { ...received, label: query.toString('latin1', 13, 13 + query[12]!) };
    this.received.push(whole);
    this.script(whole);
  }

  async startTcp(): Promise<void> {
    this.#tcp = createServer((socket) => this.#onConnection(socket));
    this.#tcp.listen(this.#port, this.host);
    await once(this.#tcp, 'listening');
    this.#port = (this.#tcp.address() as AddressInfo).port;
  }

  /** Connections end with a FIN; new ones are refused. */
  async stopTcp(): Promise<void> {
    for (const socket of this.sockets) socket.end();
    this.#tcp.close();
    await once(this.#tcp, 'close');
  }

  async stopUdp(): Promise<void> {
    this.#isUdpOpen = false;
    this.#udp.close();
    await once(this.#udp, 'close');
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (this.#tcp.listening) this.#tcp.close();
    if (this.#isUdpOpen) await this.stopUdp();
  }
}

/** `message` behind its length. */
export function framed(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message]);
}

export interface AnswerOptions {
  readonly rcode?: number;
  readonly isTruncated?: boolean;
  /** EDNS options of an OPT record; without, the answer has no OPT. */
  readonly options?: Uint8Array;
}

/** A reply to `query` with one A record (NOERROR) or none. */
export function answerTo(query: Buffer, { rcode = 0, isTruncated = false, options }: AnswerOptions = {}): Buffer {
  const questionEnd = query.indexOf(0, 12) + 5;
  const head = Buffer.from(query.subarray(0, questionEnd));
  head.writeUInt16BE(0x8180 | (isTruncated ? 0x0200 : 0) | rcode, 2);
  const hasRecord = rcode === 0 && !isTruncated;
  head.writeUInt16BE(hasRecord ? 1 : 0, 6);
  head.writeUInt16BE(options === undefined ? 0 : 1, 10);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
  const opt =
    options === undefined
      ? Buffer.alloc(0)
      : Buffer.from([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, options.length, ...options]);
  return Buffer.concat([head, hasRecord ? record : Buffer.alloc(0), opt]);
}

/** Answers every question well. */
export const answerAll: Script = ({ query, reply }) => reply(answerTo(query));
