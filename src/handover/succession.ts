import { randomUUID } from 'node:crypto';
import { mkdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedImage } from '../cache/image-reader.ts';
import { type SignpostError, StartError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Libc } from '../native/libc.ts';
import { Approach, type Arrival } from './approach.ts';
import type { Channel, SocketChannel } from './channel.ts';
import { Entrance } from './entrance.ts';
import { generationOf } from './generations.ts';
import { give } from './giving.ts';
import { HANDOVER_TIMES, type HandoverTimes, type Holdings } from './holdings.ts';
import { describe, type Identity, isApart } from './identity.ts';
import { helloOf, identityOf, PROTOCOLS, refusal } from './message.ts';
import { Standby } from './standby.ts';
import type { StandbyLink } from './standby-link.ts';
import type { Inheritance } from './taking.ts';

export interface SuccessionParts {
  /** `--state`. */
  readonly state: string;
  readonly pod: string | undefined;
  /** See `Identity`. */
  readonly attempt: number;
  readonly version: string;
  /** Without it sockets cannot be passed, only addresses left. */
  readonly libc: Libc | undefined;
  readonly log: Logger;
  loadCache(fd: number): Promise<LoadedImage>;
  /** Ends the wait for an older process's turn: what is waiting rejects with the reason. */
  readonly signal?: AbortSignal | undefined;
  readonly times?: HandoverTimes;
  /** For tests. */
  readonly protocols?: readonly number[];
  readonly network?: string;
}

/** What this process does for the node. */
export type Role = 'starting' | 'waiting' | 'serving' | 'standby' | 'closed';

/** How often addresses are tried again at short intervals, before that is an error. */
const SOON_TRIES = 10;

const LATE = 'Cannot take over: the process that serves has waited too long, and serves on. The next start tries again';

/**
 * One process serves on a node, and which one that is passes from one to the next without a gap.
 *
 *   starting ──nobody at the path──▶ serving ──a newer one reads──▶ standby ──that one is gone──▶ serving
 *      │ └─────an older one gives all────▲ ▲                                  (whoever is first in the line)
 *      │ a newer one serves                │
 *      ▼                                 │
 *   waiting ──that one is gone───────────┘
 *
 * Whatever fails, and whoever dies at whatever step, one is left that serves.
 */
export class Succession {
  readonly #parts: SuccessionParts;
  readonly #times: HandoverTimes;
  readonly #protocols: readonly number[];
  readonly #path: string;
  readonly #log: Logger;
  readonly self: Identity;
  #role: Role = 'starting';
  readonly #approach: Approach;
  arrival: Arrival = 'cold';
  #inheritance: Inheritance | undefined;
  /** To the one that gives, until this one serves; in a yield for as long as both live. */
  #toPredecessor: Channel | undefined;
  #predecessor: Identity | undefined;
  #holdings: Holdings | undefined;
  readonly #entrance: Entrance;
  #standby: Standby | undefined;
  /** Given up as too late. Where it was this process that was late (it was stopped for a while), that one serves all the same. */
  #givenUp: Identity | undefined;
  /** Counts what was dropped in the cache, and until when the one that takes knows of it. */
  #drops = 0;
  #dropsGiven = 0;
  #isForgetting = false;
  /** Read by the metrics. */
  readonly counts = { taken: 0, given: 0, yielded: 0, failed: 0, takenBack: 0 };

  /** Rejects with the system's error where the folder cannot be used: then the agent serves without. */
  static async open(parts: SuccessionParts): Promise<Succession> {
    const { state, pod, attempt, version } = parts;
    await mkdir(state, { recursive: true, mode: 0o700 });
    const generation = await generationOf(pod, state, ({ message }) =>
      parts.log.warn({ state, error: message }, 'no room in the folder of --state to note which pod is newer'),
    );
    const network = parts.network ?? (await readlink('/proc/self/ns/net').catch(() => undefined));
    return new Succession(parts, { id: randomUUID(), generation, attempt, pod, pid: process.pid, version, network });
  }

  private constructor(parts: SuccessionParts, self: Identity) {
    this.#parts = parts;
    this.self = self;
    this.#times = parts.times ?? HANDOVER_TIMES;
    this.#protocols = parts.protocols ?? PROTOCOLS;
    this.#path = join(parts.state, 'handover.sock');
    this.#log = parts.log;
    this.#approach = new Approach({
      path: this.#path,
      self,
      protocols: this.#protocols,
      times: this.#times,
      libc: parts.libc,
      log: parts.log,
      loadCache: parts.loadCache,
      signal: parts.signal,
      onFailed: () => this.counts.failed++,
    });
    this.#entrance = new Entrance({
      doorway: {
        path: this.#path,
        self,
        libc: parts.libc,
        protocols: this.#protocols,
        times: this.#times,
        onTake: (channel, successor) => this.#give(channel, successor),
        onYield: (channel, successor) => this.#yield(channel, successor),
        onDropped: (zone) => this.#forget(zone),
        isServing: () => this.#role === 'serving',
        hasDropped: () => this.#drops > 0,
      },
      state: parts.state,
      log: parts.log,
      onOther: (channel) => this.#meet(channel),
    });
  }

  /**
   * Resolves with what `open` does, once it is this process's turn: at once where nobody serves, with what the one that serves has given where that is older, and when it is gone where it is
   * newer. Rejects with what `open` rejects with.
   */
  async enter<T>(open: () => Promise<T>): Promise<T> {
    for (;;) {
      const { arrival, asked } = await this.#approach.come();
      this.arrival = arrival;
      this.#predecessor = asked?.predecessor;
      this.#toPredecessor = asked?.channel;
      this.#inheritance = asked?.inheritance;
      try {
        return await open();
      } catch (error) {
        this.#giveUp();
        // Another was sooner: it will be at the path in a moment.
        if ((error as SignpostError).code !== 'ERR_LISTEN_IN_USE' || !(await this.#approach.isSomebodySoon()))
          throw error;
      }
    }
  }

  /** A socket of the predecessor, the caller's from now on; undefined: there is none. */
  take(name: string): number | undefined {
    return this.#inheritance?.take(name);
  }

  /**
   * This process reads: from now on it is the one that serves, and the predecessor stands by. Rejects where it must not go on: another serves, and cannot be told.
   */
  async settle(holdings: Holdings): Promise<void> {
    this.#holdings = holdings;
    try {
      if (this.arrival === 'taken') await this.#tellPredecessor('opened', 'go-on');
      await this.#entrance.open();
    } catch (error) {
      if (this.arrival === 'taken') throw error;
      this.#log.warn({ err: error }, 'serving, but nobody can take over from this process');
    }
    this.#role = 'serving';
    const rest = this.#inheritance?.closeRest() ?? [];
    if (rest.length > 0)
      this.#log.warn({ sockets: rest }, 'the process before listened there too, and this one does not');
    if (this.arrival === 'cold') return;
    const from = describe(this.#predecessor!);
    const entries = this.#inheritance?.entries ?? 0;
    if (this.arrival === 'taken') {
      await this.#tellPredecessor('reading', 'standing-by');
      this.#toPredecessor!.close();
    }
    this.counts.taken++;
    this.#log.info({ from, entries, arrival: this.arrival }, 'took over');
  }

  /** To be called when entries of the cache are dropped, at and below a zone or wherever: nobody else who holds them may say them either. */
  dropped(zone?: string): void {
    this.#drops++;
    for (const link of this.standbys) link.spoil();
    if (this.#role === 'standby' && zone !== undefined && !this.#isForgetting) this.#standby!.tellDropped(zone);
  }

  get role(): Role {
    return this.#approach.waiting === undefined ? this.#role : 'waiting';
  }

  /** Why nobody finds this process, which serves; undefined: they do. */
  get hidden(): Error | undefined {
    return this.#role === 'serving' ? this.#entrance.hidden : undefined;
  }

  /** Processes that stand by behind this one. */
  get standbys(): readonly StandbyLink[] {
    return this.#entrance.doorway?.standbys ?? [];
  }

  /** Asks the process of a pod that stands by behind this one, or is about to, whether it lives. Undefined: there is none. */
  askStandby(pod: string): Promise<void> | undefined {
    const link = this.standbys.find(({ other }) => other.pod === pod);
    if (link !== undefined) return link.ping();
    const isGiving = this.#predecessor?.pod === pod && this.#toPredecessor?.isClosed === false;
    return isGiving ? Promise.resolve() : undefined;
  }

  /** The one that this process stands by behind; undefined where it serves itself. */
  get incumbent(): Identity | undefined {
    return (this.#approach.waiting ?? this.#standby)?.incumbent;
  }

  /** Cached answers that came of the predecessor. */
  get inherited(): number {
    return this.#inheritance?.entries ?? 0;
  }

  /** Gives nothing and takes nothing from now on. Who stands by looks for another. */
  close(): void {
    this.#role = 'closed';
    this.#approach.waiting?.end();
    this.#standby?.end();
    this.#entrance.close();
    this.#toPredecessor?.close();
    this.#inheritance?.closeRest();
  }

  /** The predecessor goes on as if nothing had been. */
  #giveUp(): void {
    this.#inheritance?.closeRest();
    this.#toPredecessor?.close();
  }

  /** Another says it: it need not be told. */
  readonly #forget = (zone?: string): void => {
    this.#isForgetting = true;
    this.#holdings!.forget(zone);
    this.#isForgetting = false;
  };

  async #tellPredecessor(message: string, answer: string): Promise<void> {
    const channel = this.#toPredecessor!;
    try {
      // Where it cannot be told, what it said last tells why.
      await channel.send({ message }).catch(() => {});
      await channel.expect(answer, this.#times.answerMs);
    } catch (err) {
      // Given up by it: it serves on, and only one may.
      if ((err as SignpostError).code === 'ERR_HANDOVER_LATE') throw new StartError('ERR_HANDOVER_LATE', LATE);
      this.#log.warn({ err }, 'the process before says nothing more: it is gone, or hangs');
    }
  }

  /** Another is at the path. Two that share sockets must not read for long: the one that took them stays. */
  async #meet(channel: SocketChannel): Promise<void> {
    try {
      if (this.#givenUp === undefined) return;
      await channel.send(helloOf(this.self, this.#parts.libc !== undefined, this.#protocols));
      const other = identityOf(await channel.expect('hello', this.#times.answerMs));
      if (other.id !== this.#givenUp.id || this.#role !== 'serving') return;
      const holdings = this.#holdings!;
      holdings.pause();
      const { doorway } = this.#entrance;
      await this.#register(
        this.#standBy(channel, other, () => holdings.resume()),
        channel,
      );
      doorway!.close();
    } finally {
      channel.close();
    }
  }

  async #give(channel: SocketChannel, successor: Identity): Promise<void> {
    const holdings = this.#holdings!;
    const apart = isApart(this.self, successor);
    let hasSockets = false;
    try {
      const { libc, log } = this.#parts;
      const onPassed = (): void => {
        hasSockets = !apart;
      };
      const onImage = (): void => {
        this.#dropsGiven = this.#drops;
      };
      await give(channel, { holdings, libc: libc!, times: this.#times, log, isApart: apart, onImage, onPassed });
    } catch (error) {
      await this.#onGiveFailed(channel, successor, error as Error, hasSockets);
      return;
    }
    // Ended meanwhile: the successor reads, and there is nothing to stand by with.
    if (this.#role !== 'serving') return;
    this.counts.given++;
    if (apart) return await this.#serveBeside(channel, successor);
    holdings.pause();
    // This one: where the successor dies meanwhile there is another.
    const { doorway } = this.#entrance;
    await this.#register(
      this.#standBy(channel, successor, () => holdings.resume()),
      channel,
    );
    await channel.send({ message: 'standing-by' }).catch(() => {});
    doorway!.close();
  }

  /** Packets still come to this one's addresses. It is found at the path again when the successor is gone. */
  async #serveBeside(channel: SocketChannel, successor: Identity): Promise<void> {
    this.#log.info(
      { to: describe(successor) },
      'gave a copy of the cache, and serves on: the other has its own addresses',
    );
    await channel.send({ message: 'standing-by' }).catch(() => {});
    this.#entrance.doorway!.close();
  }

  async #yield(channel: SocketChannel, successor: Identity): Promise<void> {
    this.#log.warn({ to: describe(successor) }, 'leaving the addresses to a process that can take nothing else');
    this.#dropsGiven = this.#drops;
    const takeAgain = await this.#holdings!.yield();
    // Ended meanwhile.
    if (this.#role !== 'serving') return channel.close();
    this.counts.yielded++;
    const { doorway } = this.#entrance;
    const standby = this.#standBy(channel, successor, takeAgain);
    await channel.send({ message: 'yielded' }).catch(() => {});
    doorway!.close(channel);
    // It is at the path once it has bound the addresses.
    await this.#register(standby, channel);
  }

  /** The path may be the successor's already. */
  async #onGiveFailed(channel: SocketChannel, successor: Identity, error: Error, hasSockets: boolean): Promise<void> {
    this.counts.failed++;
    this.#log.warn({ to: describe(successor), error: error.message }, 'a hand-over failed: serving on');
    await channel.send(refusal('ERR_HANDOVER_LATE', error.message)).catch(() => {});
    channel.close();
    await this.#entrance.keep();
    if (hasSockets) this.#givenUp = successor;
  }

  #standBy(channel: SocketChannel, successor: Identity, serveAgain: () => Promise<void>): Standby {
    this.#role = 'standby';
    this.#givenUp = undefined;
    const { libc } = this.#parts;
    const [path, self, protocols, times] = [this.#path, this.self, this.#protocols, this.#times];
    const onDropped = (): void => this.#forget();
    const standby = new Standby({ path, self, protocols, times, passesSockets: libc !== undefined, onDropped }, true);
    this.#standby = standby;
    standby.incumbent = successor;
    if (this.#drops !== this.#dropsGiven) standby.tellDropped('.');
    this.#log.info({ serving: describe(successor) }, 'standing by: a successor serves');
    void this.#watch(standby, channel, serveAgain);
    return standby;
  }

  /** Makes itself known to the successor, for as long as that one may still come to the path. */
  async #register(standby: Standby, channel: SocketChannel): Promise<void> {
    while (this.#standby === standby && this.#role === 'standby' && !channel.isClosed) {
      try {
        await standby.register();
        break;
      } catch {
        await sleep(this.#times.againMs / 10);
      }
    }
  }

  async #watch(standby: Standby, channel: SocketChannel, serveAgain: () => Promise<void>): Promise<void> {
    // A successor that is known at the path is watched there; before that, by the connection that it took over on.
    await Promise.race([channel.closed, standby.registered]);
    for (let tries = 1; ; tries++) {
      if (!(await standby.untilAlone())) return;
      // First: those behind it in the line look whether somebody is there.
      await this.#entrance.open().catch((err) => this.#log.warn({ err }, 'nobody can take over from this process'));
      try {
        if (this.#role === 'standby') await serveAgain();
        break;
      } catch (err) {
        this.#entrance.doorway!.close();
        // The kernel closes the files of a process that was killed one by one: its addresses may be free a moment after its connection has ended.
        const isSoon = tries <= SOON_TRIES;
        if (tries === SOON_TRIES) this.#log.error({ err }, 'the successor is gone, and its place cannot be taken yet');
        await sleep(isSoon ? this.#times.againMs / SOON_TRIES : this.#times.againMs);
      }
    }
    if (this.#role !== 'standby') return;
    this.#role = 'serving';
    this.#standby = undefined;
    this.counts.takenBack++;
    this.#log.warn({}, 'the successor is gone: serving again');
  }
}
