import { SignpostError } from '../core/errors.ts';
import { HANDOVER_MESSAGE } from '../core/limits.ts';
import type { Identity } from './identity.ts';

/** What versions of the protocol this one speaks, the best first. A change of what lies between `take` and `standing-by` is a new number. */
export const PROTOCOLS: readonly number[] = [1];

/**
 * One line of JSON. What never changes, so that any two versions understand each other so far:
 *
 *   successor                        incumbent
 *     hello (who, protocols)  ──▶
 *                             ◀──  hello
 *     take (protocol)         ──▶          or yield, or stand-by
 *                             ◀──  refused (code, reason)             at any time, and the connection ends
 *
 *   take, protocol 1:         ◀──  cache + a file, twice: all of it, and what changed meanwhile
 *     loaded                  ──▶          after each
 *                             ◀──  sockets (names) + the sockets
 *     opened                  ──▶          it reads them
 *                             ◀──  go-on
 *     reading                 ──▶          and it listens at the path
 *                             ◀──  standing-by                        it reads no more
 *   yield:                    ◀──  yielded                            its addresses are free; when the connection ends it binds them again
 *   stand-by:                 ◀──  noted (rank), again when that changes; ping, to which pong is the answer; dropped: nothing that is cached is to be said any more
 *     dropped (zone)          ──▶          something of that zone is not to be said any more
 */
export interface Message {
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Hello extends Message {
  readonly message: 'hello';
  readonly protocols: readonly number[];
  readonly id: string;
  readonly generation: number;
  readonly attempt: number;
  readonly pod: string | null;
  readonly pid: number;
  readonly version: string;
  /** Whether sockets can be passed to it or by it. */
  readonly passesSockets: boolean;
  readonly network: string | null;
}

export function helloOf(self: Identity, passesSockets: boolean, protocols: readonly number[]): Hello {
  const { id, generation, attempt, pid, version } = self;
  const [pod, network] = [self.pod ?? null, self.network ?? null];
  return { message: 'hello', protocols, id, generation, attempt, pod, pid, version, passesSockets, network };
}

/** Throws `ERR_HANDOVER_MESSAGE` where it is no hello: whatever listens there is none of us. */
export function identityOf(hello: Message): Identity {
  const { id, generation, attempt, pod, pid, version, network } = hello;
  if (hello.message === 'refused') throw refusalOf(hello);
  if (
    hello.message !== 'hello' ||
    !Number.isSafeInteger(generation) ||
    !Number.isSafeInteger(attempt) ||
    !Number.isSafeInteger(pid)
  ) {
    throw new SignpostError('ERR_HANDOVER_MESSAGE', `expected hello, received ${JSON.stringify(hello).slice(0, 200)}`);
  }
  return {
    id: String(id),
    generation: generation as number,
    attempt: attempt as number,
    pod: typeof pod === 'string' ? pod : undefined,
    pid: pid as number,
    version: String(version),
    network: typeof network === 'string' ? network : undefined,
  };
}

/** The best number that both speak; undefined: none. */
export function commonProtocol(hello: Message, own: readonly number[]): number | undefined {
  const { protocols } = hello;
  return Array.isArray(protocols) ? own.find((number) => protocols.includes(number)) : undefined;
}

export function refusal(code: string, reason: string): Message {
  return { message: 'refused', code, reason };
}

export function refusalOf({ code, reason }: Message): SignpostError {
  return new SignpostError(typeof code === 'string' ? code : 'ERR_HANDOVER_REFUSED', `refused: ${String(reason)}`);
}

/** Cuts what comes into messages. */
export class MessageReader {
  #rest = '';

  /** Throws `ERR_HANDOVER_MESSAGE` where something else comes, or a line without end. */
  read(bytes: Uint8Array): Message[] {
    this.#rest += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop()!;
    if (this.#rest.length > HANDOVER_MESSAGE.value) {
      HANDOVER_MESSAGE.hits++;
      throw new SignpostError('ERR_HANDOVER_MESSAGE', `no message in ${this.#rest.length} bytes`);
    }
    return lines.map(parse);
  }
}

/** ASCII alone, so that a character is never cut in two. */
export function encode(message: Message): Buffer {
  const ascii = JSON.stringify(message).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(`${ascii}\n`, 'latin1');
}

function parse(line: string): Message {
  try {
    const value = JSON.parse(line);
    if (typeof value?.message === 'string') return value;
  } catch {
    // Said below.
  }
  throw new SignpostError('ERR_HANDOVER_MESSAGE', `received ${JSON.stringify(line.slice(0, 200))}`);
}
