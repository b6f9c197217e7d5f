import { SignpostError } from '../core/errors.ts';
import type { Libc } from '../native/libc.ts';
import { type Channel, FileChannel } from './channel.ts';
import { describe, type Identity, isApart, isNewer } from './identity.ts';
import { commonProtocol, helloOf, identityOf, type Message } from './message.ts';
import { connectTo } from './standby.ts';
import { type Inheritance, type TakingParts, takeAll } from './taking.ts';

export interface PredecessorParts extends TakingParts {
  readonly path: string;
  readonly self: Identity;
  readonly protocols: readonly number[];
  /** Without it sockets cannot be received. */
  readonly libc: Libc | undefined;
}

/** What the one that serves has given. */
export interface Asked {
  readonly predecessor: Identity;
  /** Until this process serves; in a yield for as long as both live. */
  readonly channel: Channel;
  /** Of a take. */
  readonly inheritance: Inheritance | undefined;
}

/** The one that serves is newer: nothing can be had of it. */
export class NewerServes extends SignpostError {
  readonly incumbent: Identity;

  constructor(incumbent: Identity) {
    super('ERR_HANDOVER_OLDER', `${describe(incumbent)} is newer`);
    this.incumbent = incumbent;
  }
}

/** The one that serves has a network of its own and gives nothing: it is in nobody's way, be it newer or not. */
export class ServesElsewhere extends SignpostError {
  constructor(incumbent: Identity, cause: Error) {
    super('ERR_HANDOVER_ELSEWHERE', `${describe(incumbent)} has its own addresses: ${cause.message}`, { cause });
  }
}

/**
 * Asks the one that serves for everything, or for its addresses alone. Rejects with ECONNREFUSED or ENOENT where nobody serves, with `NewerServes`, with what a refusal says
 * (`ERR_HANDOVER_BUSY`), or with what went wrong; with `ServesElsewhere` in place of the latter where that one need not leave.
 */
export async function askPredecessor(wish: 'take' | 'yield', parts: PredecessorParts): Promise<Asked> {
  const { path, self, libc, protocols, times } = parts;
  const channel = wish === 'take' && libc !== undefined ? new FileChannel(libc, path) : await connectTo(path);
  let predecessor: Identity | undefined;
  try {
    await channel.send(helloOf(self, libc !== undefined, protocols));
    const hello = await channel.expect('hello', times.answerMs);
    predecessor = identityOf(hello);
    if (!isNewer(self, predecessor)) throw new NewerServes(predecessor);
    if (wish === 'take') return { predecessor, channel, inheritance: await take(channel, hello, parts) };
    await channel.send({ message: 'yield' });
    await channel.expect('yielded', times.readingMs);
    return { predecessor, channel, inheritance: undefined };
  } catch (error) {
    channel.close();
    const isBusy = (error as SignpostError).code === 'ERR_HANDOVER_BUSY';
    if (isBusy || predecessor === undefined || !isApart(self, predecessor)) throw error;
    throw new ServesElsewhere(predecessor, error as Error);
  }
}

async function take(channel: Channel, hello: Message, parts: PredecessorParts): Promise<Inheritance> {
  const protocol = commonProtocol(hello, parts.protocols);
  if (protocol === undefined) {
    throw new SignpostError('ERR_HANDOVER_PROTOCOL', 'the two versions have no protocol in common');
  }
  const passes = hello['passesSockets'] === true || isApart(parts.self, identityOf(hello));
  if (!passes || parts.libc === undefined) {
    throw new SignpostError('ERR_HANDOVER_NO_SOCKETS', 'sockets cannot be passed here');
  }
  await channel.send({ message: 'take', protocol });
  return await takeAll(channel, parts);
}
