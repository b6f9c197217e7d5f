import { closeSync } from 'node:fs';
import type { LoadedImage } from '../cache/image-reader.ts';
import { SignpostError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Channel } from './channel.ts';
import type { HandoverTimes } from './holdings.ts';

export interface TakingParts {
  readonly times: HandoverTimes;
  readonly log: Logger;
  loadCache(fd: number): Promise<LoadedImage>;
}

/** What came of a predecessor: its sockets by name, each ours to close until somebody has it. */
export class Inheritance {
  readonly #sockets = new Map<string, number>();
  entries = 0;

  add(name: string, descriptor: number): void {
    const before = this.#sockets.get(name);
    if (before !== undefined) closeSync(before);
    this.#sockets.set(name, descriptor);
  }

  /** The socket of that name is the caller's from now on; undefined: there is none. */
  take(name: string): number | undefined {
    const descriptor = this.#sockets.get(name);
    this.#sockets.delete(name);
    return descriptor;
  }

  /** Closes what nobody wanted. Returns the names. */
  closeRest(): string[] {
    const names = [...this.#sockets.keys()];
    for (const descriptor of this.#sockets.values()) closeSync(descriptor);
    this.#sockets.clear();
    return names;
  }
}

/** Takes cache and sockets from a predecessor that was asked for them, by protocol 1. It reads on until it is told that we do. Rejects where it goes wrong at any step. */
export async function takeAll(channel: Channel, parts: TakingParts): Promise<Inheritance> {
  const inheritance = new Inheritance();
  const { times } = parts;
  try {
    for (;;) {
      const message = await channel.next(times.cacheMs);
      if (message.message === 'cache') {
        if (message['files'] === 1) inheritance.entries += await load(channel, parts);
        await channel.send({ message: 'loaded', entries: inheritance.entries });
      } else if (message.message === 'sockets') {
        if (takeSockets(channel, inheritance, message['names'])) throw malformed(message.message);
        if (message['more'] !== true) return inheritance;
      } else if (message.message === 'refused') {
        throw new SignpostError(String(message['code']), `refused: ${String(message['reason'])}`);
      } else throw malformed(message.message);
    }
  } catch (error) {
    inheritance.closeRest();
    throw error;
  }
}

async function load(channel: Channel, { loadCache, log }: TakingParts): Promise<number> {
  const [file = -1] = channel.takeFiles(1);
  try {
    return (await loadCache(file)).entries;
  } catch (err) {
    // A cache of another version is asked for again, name by name.
    log.warn({ err }, 'the cache of the process before cannot be read');
    return 0;
  } finally {
    closeSync(file);
  }
}

/** True where it is no list of names. */
function takeSockets(channel: Channel, inheritance: Inheritance, names: unknown): boolean {
  if (!Array.isArray(names)) return true;
  const files = channel.takeFiles(names.length);
  for (const [i, file] of files.entries()) inheritance.add(String(names[i]), file);
  return false;
}

function malformed(message: string): SignpostError {
  return new SignpostError('ERR_HANDOVER_MESSAGE', `received ${message} out of turn`);
}
