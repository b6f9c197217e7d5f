import { setTimeout as sleep } from 'node:timers/promises';
import type { SignpostError } from '../core/errors.ts';
import { describe, type Identity } from './identity.ts';
import { type Asked, askPredecessor, NewerServes, type PredecessorParts, ServesElsewhere } from './predecessor.ts';
import { connectTo, isNobody, Standby } from './standby.ts';

export interface ApproachParts extends PredecessorParts {
  /** Ends the wait for an older process's turn: what is waiting rejects with the reason. */
  readonly signal: AbortSignal | undefined;
  readonly onFailed: () => void;
}

/** How a start came by its addresses. */
export type Arrival = 'cold' | 'taken' | 'yielded';

export interface Arrived {
  readonly arrival: Arrival;
  /** Of the one that served; undefined where there was none. */
  readonly asked: Asked | undefined;
}

const COLD: Arrived = { arrival: 'cold', asked: undefined };

/** How often a start that was refused because another is taking over tries again. */
const BUSY_TRIES = 40;

/** A process's way to its turn to serve. */
export class Approach {
  readonly #parts: ApproachParts;
  /** While a newer process serves. */
  waiting: Standby | undefined;

  constructor(parts: ApproachParts) {
    this.#parts = parts;
  }

  /** At once where nobody serves, with what the one that serves has given where that is older, and when it is gone where it is newer. */
  async come(): Promise<Arrived> {
    for (let busy = 0; ; ) {
      this.#parts.signal?.throwIfAborted();
      try {
        return await this.#ask('take');
      } catch (error) {
        const { code } = error as SignpostError;
        if (isNobody(error)) return COLD;
        if (error instanceof ServesElsewhere) return this.#beginBeside(error);
        if (error instanceof NewerServes) await this.#wait(error.incumbent);
        else if (code === 'ERR_HANDOVER_BUSY' && busy++ < BUSY_TRIES) await sleep(this.#parts.times.againMs);
        else return await this.#askToYield(error as Error);
      }
    }
  }

  #beginBeside({ message }: ServesElsewhere): Arrived {
    this.#parts.log.info({ reason: message }, 'serving beside a process of another network, with nothing of it');
    return COLD;
  }

  /** What was asked for first has failed. */
  async #askToYield(error: Error): Promise<Arrived> {
    this.#parts.onFailed();
    this.#parts.log.warn({ error: error.message }, 'nothing can be taken over: asking for the addresses alone');
    for (let busy = 0; ; ) {
      try {
        return await this.#ask('yield');
      } catch (err) {
        const { code, message } = err as SignpostError;
        // It may not be done with what has failed.
        if (code === 'ERR_HANDOVER_BUSY' && busy++ < BUSY_TRIES) await sleep(this.#parts.times.againMs);
        else {
          if (!isNobody(err)) this.#parts.log.warn({ error: message }, 'the process that serves does not leave');
          return COLD;
        }
      }
    }
  }

  async #ask(wish: 'take' | 'yield'): Promise<Arrived> {
    const asked = await askPredecessor(wish, this.#parts);
    return { arrival: wish === 'take' ? 'taken' : 'yielded', asked };
  }

  /** Until no newer process serves. */
  async #wait(incumbent: Identity): Promise<void> {
    const { signal, libc } = this.#parts;
    const standby = new Standby({ ...this.#parts, passesSockets: libc !== undefined }, false);
    this.waiting = standby;
    const onAbort = (): void => standby.end();
    signal?.addEventListener('abort', onAbort);
    this.#parts.log.info({ serving: describe(incumbent) }, 'standing by: a newer process serves');
    await standby.untilAlone();
    signal?.removeEventListener('abort', onAbort);
    this.waiting = undefined;
  }

  /** Whether one that serves comes to the path in the next seconds. */
  async isSomebodySoon(): Promise<boolean> {
    const endMs = performance.now() + this.#parts.times.answerMs;
    while (performance.now() < endMs) {
      try {
        (await connectTo(this.#parts.path)).close();
        return true;
      } catch {
        await sleep(this.#parts.times.againMs / 5);
      }
    }
    return false;
  }
}
