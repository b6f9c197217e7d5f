import { closeSync } from 'node:fs';
import type { SavedImage } from '../cache/image-writer.ts';
import type { Logger } from '../core/logger.ts';
import { DESCRIPTORS_A_MESSAGE } from '../native/descriptor-message.ts';
import { openMemoryFile } from '../native/descriptors.ts';
import type { Libc } from '../native/libc.ts';
import type { Channel } from './channel.ts';
import type { HandoverTimes, HeldSocket, Holdings } from './holdings.ts';
import { refusal } from './message.ts';

export interface GivingParts {
  readonly holdings: Holdings;
  readonly libc: Libc;
  readonly times: HandoverTimes;
  readonly log: Logger;
  /** The successor has addresses of its own. */
  readonly isApart: boolean;
  /** An image of the cache is begun: what is dropped from now on is not dropped in it. */
  onImage(): void;
  /** From here on it may read, whatever it says or does not say. */
  onPassed(): void;
}

/** All of the cache, and what changed while that was on its way. */
const IMAGES = 2;

/**
 * Gives cache and sockets to a successor, by protocol 1. Resolves when that one reads; nothing has changed here until then. Rejects where it goes wrong at any step.
 */
export async function give(channel: Channel, parts: GivingParts): Promise<void> {
  const { holdings, libc, times, log, isApart } = parts;
  const sockets = isApart ? [] : holdings.sockets();
  if (sockets === undefined) {
    await channel.send(refusal('ERR_HANDOVER_NO_SOCKETS', 'sockets cannot be passed here'));
    throw new Error('sockets cannot be passed here');
  }
  let since: SavedImage | undefined;
  for (let image = 0; image < IMAGES; image++) {
    parts.onImage();
    since = await giveCache(channel, holdings, libc, since, log);
    await channel.expect('loaded', times.cacheMs);
  }
  // At least one message, and be it empty: with it the successor has all.
  for (let at = 0; at === 0 || at < sockets.length; at += DESCRIPTORS_A_MESSAGE) {
    await giveSockets(channel, sockets, at);
  }
  parts.onPassed();
  await channel.expect('opened', times.readingMs);
  // Who is given up as too late learns it here, before it takes our place at the path.
  await channel.send({ message: 'go-on' });
  await channel.expect('reading', times.answerMs);
}

async function giveCache(
  channel: Channel,
  holdings: Holdings,
  libc: Libc,
  since: SavedImage | undefined,
  log: Logger,
): Promise<SavedImage | undefined> {
  let file = -1;
  try {
    file = openMemoryFile(libc, 'signpost-cache');
    const saved = await holdings.saveCache(file, since);
    await channel.send({ message: 'cache', files: 1, entries: saved.entries, bytes: saved.bytes }, [file]);
    return saved;
  } catch (err) {
    if (channel.isClosed) throw err;
    // Its cache would be filled by asking; queries are not lost by it.
    log.warn({ err }, 'the cache cannot be handed over');
    await channel.send({ message: 'cache', files: 0, entries: 0, bytes: 0 });
    return since;
  } finally {
    if (file !== -1) closeSync(file);
  }
}

function giveSockets(channel: Channel, sockets: readonly HeldSocket[], at: number): Promise<void> {
  const some = sockets.slice(at, at + DESCRIPTORS_A_MESSAGE);
  const names = some.map(({ name }) => name);
  const files = some.map(({ descriptor }) => descriptor);
  return channel.send({ message: 'sockets', names, more: at + some.length < sockets.length }, files);
}
