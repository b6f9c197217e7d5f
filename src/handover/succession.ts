import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedImage } from '../cache/image-reader.ts';
import { type SignpostError, StartError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Libc } from '../native/libc.ts';
import type { Channel, SocketChannel } from './channel.ts';
import { Doorway } from './doorway.ts';
import { generationOf } from './generations.ts';
import { give } from './giving.ts';
import { HANDOVER_TIMES, type HandoverTimes, type Holdings } from './holdings.ts';
import { describe, type Identity } from './identity.ts';
import { PROTOCOLS, refusal } from './message.ts';
import { askPredecessor, NewerServes } from './predecessor.ts';
import { connectTo, isNobody, Standby } from './standby.ts';
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
}

/** What this process does for the node. */
export type Role = 'starting' | 'waiting' | 'serving' | 'standby' | 'closed';

/** How a start came by its addresses. */
export type Arrival = 'cold' | 'taken' | 'yielded';

/** How often it is looked whether this process can still be found. */
const KEEP_MS = 5000;

/** How often a start that was refused because another is taking over tries again. */
const BUSY_TRIES = 40;

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
  role: Role = 'starting';
  arrival: Arrival = 'cold';
  #inheritance: Inheritance | undefined;
  /** To the one that gives, until this one serves; in a yield for as long as both live. */
  #toPredecessor: Channel | undefined;
  #predecessor: Identity | undefined;
  #holdings: Holdings | undefined;
  #doorway: Doorway | undefined;
  #standby: Standby | undefined;
  #keeping: NodeJS.Timeout | undefined;
  /** Read by the metrics. */
  readonly counts = { taken: 0, given: 0, yielded: 0, failed: 0, takenBack: 0 };

  /** Rejects with the system's error where the folder cannot be used: then the agent serves without. */
  static async open(parts: SuccessionParts): Promise<Succession> {
    const { state, pod, attempt, version } = parts;
    await mkdir(state, { recursive: true, mode: 0o700 });
    const generation = await generationOf(pod, state);
    return new Succession(parts, { id: randomUUID(), generation, attempt, pod, pid: process.pid, version });
  }

  private constructor(parts: SuccessionParts, self: Identity) {
    this.#parts = parts;
    this.self = self;
    this.#times = parts.times ?? HANDOVER_TIMES;
    this.#protocols = parts.protocols ?? PROTOCOLS;
    this.#path = join(parts.state, 'handover.sock');
    this.#log = parts.log;
  }

  /**
   * Resolves with what `open` does, once it is this process's turn: at once where nobody serves, with what the one that serves has given where that is older, and when it is gone where it is
   * newer. Rejects with what `open` rejects with.
   */
  async enter<T>(open: () => Promise<T>): Promise<T> {
    for (;;) {
      this.arrival = await this.#arrive();
      try {
        return await open();
      } catch (error) {
        this.#giveUp();
        // Another was sooner: it will be at the path in a moment.
        if ((error as SignpostError).code !== 'ERR_LISTEN_IN_USE' || !(await this.#isSomebodySoon())) throw error;
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
      await this.#openDoorway();
    } catch (error) {
      if (this.arrival === 'taken') throw error;
      this.#log.warn({ err: error }, 'serving, but nobody can take over from this process');
    }
    this.role = 'serving';
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

  /** Processes that stand by behind this one. */
  get standbys(): readonly StandbyLink[] {
    return this.#doorway?.standbys ?? [];
  }

  /** The one that this process stands by behind; undefined where it serves itself. */
  get incumbent(): Identity | undefined {
    return this.role === 'standby' || this.role === 'waiting' ? this.#standby?.incumbent : undefined;
  }

  /** Cached answers that came of the predecessor. */
  get inherited(): number {
    return this.#inheritance?.entries ?? 0;
  }

  /** Gives nothing and takes nothing from now on. Who stands by looks for another. */
  close(): void {
    this.role = 'closed';
    clearInterval(this.#keeping);
    this.#standby?.end();
    this.#doorway?.close();
    this.#toPredecessor?.close();
    this.#inheritance?.closeRest();
  }

  async #arrive(): Promise<Arrival> {
    for (let busy = 0; ; ) {
      this.#parts.signal?.throwIfAborted();
      try {
        return await this.#ask('take');
      } catch (error) {
        const { code } = error as SignpostError;
        if (isNobody(error)) return 'cold';
        if (error instanceof NewerServes) await this.#wait(error.incumbent);
        else if (code === 'ERR_HANDOVER_BUSY' && busy++ < BUSY_TRIES) await sleep(this.#times.againMs);
        else return await this.#askToYield(error as Error);
      }
    }
  }

  /** What was asked for first has failed. */
  async #askToYield(error: Error): Promise<Arrival> {
    this.counts.failed++;
    this.#log.warn({ error: error.message }, 'nothing can be taken over: asking for the addresses alone');
    try {
      return await this.#ask('yield');
    } catch (err) {
      if (!isNobody(err)) this.#log.warn({ error: (err as Error).message }, 'the process that serves does not leave');
      return 'cold';
    }
  }

  async #ask(wish: 'take' | 'yield'): Promise<Arrival> {
    const asked = await askPredecessor(wish, {
      path: this.#path,
      self: this.self,
      protocols: this.#protocols,
      times: this.#times,
      libc: this.#parts.libc,
      log: this.#log,
      loadCache: this.#parts.loadCache,
    });
    this.#predecessor = asked.predecessor;
    this.#toPredecessor = asked.channel;
    this.#inheritance = asked.inheritance;
    return wish === 'take' ? 'taken' : 'yielded';
  }

  /** Until no newer process serves. */
  async #wait(incumbent: Identity): Promise<void> {
    this.role = 'waiting';
    const standby = this.#newStandby(false);
    this.#standby = standby;
    const { signal } = this.#parts;
    const onAbort = (): void => standby.end();
    signal?.addEventListener('abort', onAbort);
    this.#log.info({ serving: describe(incumbent) }, 'standing by: a newer process serves');
    await standby.untilAlone();
    signal?.removeEventListener('abort', onAbort);
    this.#standby = undefined;
    this.role = 'starting';
  }

  async #isSomebodySoon(): Promise<boolean> {
    const endMs = performance.now() + this.#times.answerMs;
    while (performance.now() < endMs) {
      try {
        (await connectTo(this.#path)).close();
        return true;
      } catch {
        await sleep(this.#times.againMs / 5);
      }
    }
    return false;
  }

  /** The predecessor goes on as if nothing had been. */
  #giveUp(): void {
    this.#inheritance?.closeRest();
    this.#toPredecessor?.close();
  }

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

  async #openDoorway(): Promise<void> {
    const before = this.#doorway;
    const doorway = new Doorway({
      path: this.#path,
      self: this.self,
      libc: this.#parts.libc,
      protocols: this.#protocols,
      times: this.#times,
      onTake: (channel, successor) => this.#give(channel, successor),
      onYield: (channel, successor) => this.#yield(channel, successor),
    });
    await doorway.open();
    // Only now: who asks finds the one or the other.
    this.#doorway = doorway;
    before?.close();
    clearInterval(this.#keeping);
    this.#keeping = setInterval(() => void this.#keepDoorway(), KEEP_MS).unref();
  }

  /** Who has a dead process in the way, or nothing, would think that nobody serves. */
  async #keepDoorway(): Promise<void> {
    if (this.role !== 'serving' || (await this.#doorway!.isFound())) return;
    const isFree = await connectTo(this.#path).then(
      (channel) => channel.close(),
      (error) => isNobody(error),
    );
    if (isFree === true && this.role === 'serving') await this.#openDoorway().catch(() => {});
  }

  async #give(channel: SocketChannel, successor: Identity): Promise<void> {
    const holdings = this.#holdings!;
    try {
      await give(channel, { holdings, libc: this.#parts.libc!, times: this.#times, log: this.#log });
    } catch (error) {
      await this.#onGiveFailed(channel, successor, error as Error);
      return;
    }
    // Ended meanwhile: the successor reads, and there is nothing to stand by with.
    if (this.role !== 'serving') return;
    holdings.pause();
    this.counts.given++;
    this.#standBy(channel, successor, () => holdings.resume());
    await this.#register(channel);
    await channel.send({ message: 'standing-by' }).catch(() => {});
    this.#doorway!.close();
  }

  async #yield(channel: SocketChannel, successor: Identity): Promise<void> {
    this.#log.warn({ to: describe(successor) }, 'leaving the addresses to a process that can take nothing else');
    const takeAgain = await this.#holdings!.yield();
    this.counts.yielded++;
    this.#standBy(channel, successor, takeAgain);
    await channel.send({ message: 'yielded' }).catch(() => {});
    this.#doorway!.close(channel);
    // It is at the path once it has bound the addresses.
    await this.#register(channel);
  }

  /** The path may be the successor's already. */
  async #onGiveFailed(channel: SocketChannel, successor: Identity, error: Error): Promise<void> {
    this.counts.failed++;
    this.#log.warn({ to: describe(successor), error: error.message }, 'a hand-over failed: serving on');
    await channel.send(refusal('ERR_HANDOVER_LATE', error.message)).catch(() => {});
    channel.close();
    await this.#keepDoorway();
  }

  #standBy(channel: SocketChannel, successor: Identity, serveAgain: () => Promise<void>): void {
    this.role = 'standby';
    this.#standby = this.#newStandby(true);
    this.#standby.incumbent = successor;
    this.#log.info({ serving: describe(successor) }, 'standing by: a successor serves');
    void this.#watch(this.#standby, channel, serveAgain);
  }

  /** Makes itself known to the successor, for as long as that one may still come to the path. */
  async #register(channel: SocketChannel): Promise<void> {
    while (this.role === 'standby' && !channel.isClosed) {
      try {
        await this.#standby!.register();
        break;
      } catch {
        await sleep(this.#times.againMs / 10);
      }
    }
  }

  async #watch(standby: Standby, channel: SocketChannel, serveAgain: () => Promise<void>): Promise<void> {
    // A successor that is known at the path is watched there; before that, by the connection that it took over on.
    await Promise.race([channel.closed, standby.registered]);
    for (;;) {
      if (!(await standby.untilAlone())) return;
      try {
        await serveAgain();
        break;
      } catch (err) {
        this.#log.error({ err }, 'the successor is gone, and its place cannot be taken yet');
        await sleep(this.#times.againMs);
      }
    }
    this.role = 'serving';
    this.#standby = undefined;
    this.counts.takenBack++;
    this.#log.warn({}, 'the successor is gone: serving again');
    await this.#openDoorway().catch((err) => this.#log.warn({ err }, 'nobody can take over from this process'));
  }

  #newStandby(hasSockets: boolean): Standby {
    const { libc } = this.#parts;
    return new Standby(
      {
        path: this.#path,
        self: this.self,
        passesSockets: libc !== undefined,
        protocols: this.#protocols,
        times: this.#times,
      },
      hasSockets,
    );
  }
}
