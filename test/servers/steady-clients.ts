import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { frame, type Server, TcpClient } from '../client/ask.ts';
import { encodeQuestion } from '../client/message.ts';

const UDP_SOCKETS = 16;
/** Of one socket at a time; all are asked in turn. */
const STEP_MS = 1;
const TCP_PAUSE_MS = 20;
/** A query without an answer for so long is lost. */
const LOST_MS = 4000;

export interface Account {
  readonly sent: number;
  readonly answered: number;
  /** TCP queries whose connection ended before the answer, asked again on another one. */
  readonly askedAgain: number;
}

/** Pods that ask on and on while something happens: a datagram a millisecond, and `connections` TCP clients that ask one query after the other. */
export class SteadyClients {
  readonly #server: Server;
  readonly #names: readonly string[];
  readonly #sockets: Socket[] = [];
  readonly #work: Promise<void>[] = [];
  #isEnding = false;
  readonly udp = { sent: 0, answered: 0, askedAgain: 0 };
  readonly tcp = { sent: 0, answered: 0, askedAgain: 0 };

  static async start(server: Server, names: readonly string[], connections: number): Promise<SteadyClients> {
    const clients = new SteadyClients(server, names);
    for (let i = 0; i < UDP_SOCKETS; i++) await clients.#openSocket();
    clients.#work.push(clients.#sendDatagrams());
    for (let i = 0; i < connections; i++) clients.#work.push(clients.#askOverTcp(i));
    return clients;
  }

  private constructor(server: Server, names: readonly string[]) {
    this.#server = server;
    this.#names = names;
  }

  /** Asks no more; what is in flight has a few seconds. */
  async stop(): Promise<{ udp: Account; tcp: Account }> {
    this.#isEnding = true;
    await Promise.all(this.#work);
    const endMs = performance.now() + LOST_MS;
    while (this.udp.answered < this.udp.sent && performance.now() < endMs) await sleep(10);
    for (const socket of this.#sockets) socket.close();
    return { udp: this.udp, tcp: this.tcp };
  }

  async #openSocket(): Promise<void> {
    const socket = createSocket('udp4');
    socket.on('message', () => this.udp.answered++);
    await new Promise<void>((resolve) => socket.connect(this.#server.port, this.#server.host, resolve));
    this.#sockets.push(socket);
  }

  async #sendDatagrams(): Promise<void> {
    for (let i = 0; !this.#isEnding; i++) {
      this.#sockets[i % UDP_SOCKETS]!.send(this.#question(i));
      this.udp.sent++;
      await sleep(STEP_MS);
    }
  }

  async #askOverTcp(number: number): Promise<void> {
    let client: TcpClient | undefined;
    for (let i = number; !this.#isEnding; i++) {
      this.tcp.sent++;
      for (let tries = 0; tries < 5; tries++) {
        try {
          client ??= await TcpClient.connect(this.#server);
          client.send(frame(this.#question(i)));
          await client.next();
          this.tcp.answered++;
          break;
        } catch {
          client?.close();
          client = undefined;
          this.tcp.askedAgain++;
        }
      }
      await sleep(TCP_PAUSE_MS);
    }
    client?.close();
  }

  #question(i: number): Buffer {
    return encodeQuestion({ id: i & 0xffff, name: this.#names[i % this.#names.length]!, type: 'A' });
  }
}
