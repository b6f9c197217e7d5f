import { randomUUID } from 'node:crypto';
import { chmod, rename, stat } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { HANDOVER_LINKS } from '../core/limits.ts';
import type { Libc } from '../native/libc.ts';
import { SocketChannel } from './channel.ts';
import type { HandoverTimes } from './holdings.ts';
import { type Identity, isNewer } from './identity.ts';
import { commonProtocol, helloOf, identityOf, refusal } from './message.ts';
import { StandbyLink } from './standby-link.ts';

export interface DoorwayParts {
  readonly path: string;
  readonly self: Identity;
  readonly libc: Libc | undefined;
  readonly protocols: readonly number[];
  readonly times: HandoverTimes;
  /** A newer process asks for everything. Resolves when that is over, one way or the other. */
  onTake(channel: SocketChannel, successor: Identity): Promise<void>;
  /** A newer process will bind the addresses itself. Resolves when they are free. */
  onYield(channel: SocketChannel, successor: Identity): Promise<void>;
  /** One that stands by says that what it has given is out of date at and below a zone. */
  onDropped(zone: string): void;
  /** False: nothing can be given yet, or any more. */
  isServing(): boolean;
  /** Whether anything was dropped here, so that a process that held the cache before may not know of it. */
  hasDropped(): boolean;
}

/** Where other processes find the one that serves: a Unix socket in `--state`, open while this one does. One of them is given something at a time. */
export class Doorway {
  readonly #parts: DoorwayParts;
  readonly #server: Server;
  readonly #links = new Set<StandbyLink>();
  readonly #channels = new Set<SocketChannel>();
  #inode = -1;
  #isBusy = false;

  constructor(parts: DoorwayParts) {
    this.#parts = parts;
    this.#server = createServer((socket) => void this.#greet(socket));
    this.#server.maxConnections = HANDOVER_LINKS.value;
    this.#server.on('drop', () => HANDOVER_LINKS.hits++);
  }

  /** Who asks at the path finds this process from now on. Rejects with the system's error. */
  async open(): Promise<void> {
    const { path } = this.#parts;
    // Bound beside it, and then put in its place in one step: who asks meanwhile finds the one or the other. A name of its own, for a server that closes deletes what it was bound to.
    const draft = `${path}.${randomUUID().slice(0, 8)}`;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(draft, resolve);
    });
    this.#server.on('error', () => {});
    await chmod(draft, 0o600);
    this.#inode = (await stat(draft)).ino;
    await rename(draft, path);
  }

  /** Whether who asks at the path finds this process still: another that failed may have taken the place, or somebody has tidied up. */
  async isFound(): Promise<boolean> {
    return await stat(this.#parts.path).then(
      ({ ino }) => ino === this.#inode,
      () => false,
    );
  }

  /** Those that stand by behind this process. */
  get standbys(): readonly StandbyLink[] {
    return [...this.#links];
  }

  /** Takes no more connections and ends those that are open, but for `kept`: who stands by then looks for the next one at the path. */
  close(kept?: SocketChannel): void {
    this.#server.close();
    for (const channel of this.#channels) if (channel !== kept) channel.close();
  }

  async #greet(socket: Socket): Promise<void> {
    const { self, libc, protocols, times } = this.#parts;
    const channel = new SocketChannel(socket, libc);
    this.#channels.add(channel);
    void channel.closed.then(() => this.#channels.delete(channel));
    try {
      const hello = await channel.next(times.answerMs);
      const other = identityOf(hello);
      await channel.send(helloOf(self, libc !== undefined, protocols));
      const request = await channel.next(times.answerMs);
      if (request.message === 'stand-by') this.#add(channel, other, request['hasSockets'] === true);
      else if (request.message === 'take' && commonProtocol(hello, protocols) === request['protocol']) {
        await this.#give(channel, other, this.#parts.onTake);
      } else if (request.message === 'yield') await this.#give(channel, other, this.#parts.onYield);
      else await this.#refuse(channel, 'ERR_HANDOVER_MESSAGE', `no answer to ${request.message}`);
    } catch {
      // Whoever speaks otherwise, or not at all, is none of us, or has gone.
      channel.close();
    }
  }

  async #give(channel: SocketChannel, other: Identity, give: DoorwayParts['onTake']): Promise<void> {
    const { self, isServing } = this.#parts;
    if (!isNewer(other, self))
      await this.#refuse(channel, 'ERR_HANDOVER_OLDER', `generation ${self.generation} serves`);
    else if (!isServing()) await this.#refuse(channel, 'ERR_HANDOVER_BUSY', 'this process is about to serve');
    else if (this.#isBusy) await this.#refuse(channel, 'ERR_HANDOVER_BUSY', 'another process is taking over');
    else {
      this.#isBusy = true;
      await give(channel, other).finally(() => {
        this.#isBusy = false;
      });
    }
  }

  async #refuse(channel: SocketChannel, code: string, reason: string): Promise<void> {
    await channel.send(refusal(code, reason));
    channel.close();
  }

  #add(channel: SocketChannel, other: Identity, hasSockets: boolean): void {
    const link = new StandbyLink(channel, other, hasSockets, this.#parts.onDropped);
    this.#links.add(link);
    void link.channel.closed.then(() => {
      this.#links.delete(link);
      this.#rank();
    });
    this.#rank();
    if (this.#parts.hasDropped()) link.spoil();
  }

  /** Who looks first when this process is gone: those that have the sockets, of these the newest. */
  #rank(): void {
    const order = [...this.#links].sort(
      (a, b) => Number(b.hasSockets) - Number(a.hasSockets) || (isNewer(a.other, b.other) ? -1 : 1),
    );
    for (const [rank, link] of order.entries()) link.note(rank);
  }
}
