import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decodeMessage, encodeQuestion, type Message, TYPES as TYPE_CODES } from '../../test/client/message.ts';

const NDOTS = 5;
/** As glibc has it. */
const TRY_MS = 5000;
const TRIES = 2;
const TYPES = ['A', 'AAAA'] as const;

/** What a look-up came to. */
export interface LookedUp {
  readonly hasAddress: boolean;
  /** Queries sent. */
  readonly packets: number;
  readonly elapsedMs: number;
}

/**
 * A pod's resolver as glibc's `getaddrinfo` does it: one candidate after the other, A and AAAA of each at the same time, until one has an address. Asks from the pod's own
 * address.
 */
export class StubResolver {
  readonly #socket: Socket;
  readonly #port: number;
  readonly #search: readonly string[];
  readonly #waiting = new Map<number, (reply: Message) => void>();
  #id = 0;

  /** `port`: of the server on 127.0.0.1. */
  static async open(address: string, port: number, search: readonly string[]): Promise<StubResolver> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new StubResolver(socket, port, search);
  }

  private constructor(socket: Socket, port: number, search: readonly string[]) {
    this.#socket = socket;
    this.#port = port;
    this.#search = search;
    socket.on('message', (bytes) => this.#waiting.get(bytes.readUInt16BE(0))?.(decodeMessage(bytes)));
  }

  async lookUp(name: string): Promise<LookedUp> {
    const begin = performance.now();
    let packets = 0;
    let hasAddress = false;
    for (const candidate of this.#candidates(name)) {
      const answers = await Promise.all(TYPES.map((type) => this.#ask(candidate, type)));
      packets += answers.reduce((sum, answer) => sum + answer.packets, 0);
      hasAddress = answers.some((answer) => answer.hasAddress);
      if (hasAddress) break;
    }
    return { hasAddress, packets, elapsedMs: performance.now() - begin };
  }

  close(): void {
    this.#socket.close();
  }

  #candidates(name: string): string[] {
    const searched = this.#search.map((suffix) => `${name}.${suffix}`);
    return name.split('.').length > NDOTS ? [name, ...searched] : [...searched, name];
  }

  async #ask(name: string, type: (typeof TYPES)[number]): Promise<{ hasAddress: boolean; packets: number }> {
    this.#id = (this.#id + 1) & 0xffff;
    const id = this.#id;
    const question = encodeQuestion({ name, type, id });
    for (let sent = 1; sent <= TRIES; sent++) {
      this.#socket.send(question, this.#port, '127.0.0.1');
      const reply = await this.#reply(id);
      if (reply === undefined) continue;
      return { hasAddress: reply.answers.some((record) => record.type === TYPE_CODES[type]), packets: sent };
    }
    return { hasAddress: false, packets: TRIES };
  }

  #reply(id: number): Promise<Message | undefined> {
    return new Promise((resolve) => {
      const end = (reply: Message | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(reply);
      };
      const timer = setTimeout(() => end(undefined), TRY_MS);
      this.#waiting.set(id, end);
    });
  }
}
