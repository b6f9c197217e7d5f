import type { Logger } from '../core/logger.ts';
import type { SocketChannel } from './channel.ts';
import { Doorway, type DoorwayParts } from './doorway.ts';
import { noteGeneration } from './generations.ts';
import { connectTo, isNobody } from './standby.ts';

/** How often it is looked whether this process can still be found, in units of `againMs`: five seconds. */
const KEEP_EVERY = 10;

export interface EntranceParts {
  readonly doorway: DoorwayParts;
  /** `--state`. */
  readonly state: string;
  readonly log: Logger;
  /** Another is at the path. */
  onOther(channel: SocketChannel): Promise<void>;
}

/** The doorway of the process that serves, kept where others look for it for as long as it does: made again where somebody has tidied up. */
export class Entrance {
  readonly #parts: EntranceParts;
  #doorway: Doorway | undefined;
  #keeping: NodeJS.Timeout | undefined;
  /** One at a time: of two the later one would not close the earlier one's. */
  #opening: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** Why nobody finds this process; undefined: they do. */
  hidden: Error | undefined;

  constructor(parts: EntranceParts) {
    this.#parts = parts;
  }

  get doorway(): Doorway | undefined {
    return this.#doorway;
  }

  /** Anew where it was open before. Rejects with the system's error. */
  open(): Promise<void> {
    return this.#next(() => this.#open());
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#opening.then(work);
    this.#opening = done.catch(() => {});
    return done;
  }

  async #open(isWanted: () => boolean = () => true): Promise<void> {
    if (this.#isClosed) return;
    clearInterval(this.#keeping);
    this.#keeping = setInterval(() => void this.keep(), KEEP_EVERY * this.#parts.doorway.times.againMs).unref();
    const before = this.#doorway;
    const doorway = new Doorway(this.#parts.doorway);
    try {
      await doorway.open();
    } catch (error) {
      doorway.close();
      this.hidden = error as Error;
      throw error;
    }
    if (this.#isClosed || !isWanted()) {
      doorway.close();
      return;
    }
    this.hidden = undefined;
    // Only now: who asks finds the one or the other.
    this.#doorway = doorway;
    before?.close();
  }

  /** Who has a dead process in the way, or nothing, would think that nobody serves. */
  async keep(): Promise<void> {
    const { doorway, onOther } = this.#parts;
    if (!doorway.isServing() || (await this.#doorway?.isFound())) return;
    try {
      await onOther(await connectTo(doorway.path));
    } catch (error) {
      if (isNobody(error)) await this.#next(() => this.#reopen());
    }
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#keeping);
    this.#doorway?.close();
  }

  /** Somebody has deleted the folder, or what is in it. */
  async #reopen(): Promise<void> {
    const { doorway, state, log } = this.#parts;
    const { path, self, isServing } = doorway;
    // Another look was sooner; or a successor serves by now.
    if (!isServing() || (await this.#doorway?.isFound())) return;
    const wasHidden = this.hidden !== undefined;
    try {
      // No room for that keeps nobody from taking over.
      await noteGeneration(self.pod, state, self.generation).catch(() => {});
      await this.#open(isServing);
      log.warn({ path }, 'the socket for a successor was gone: made again');
    } catch (err) {
      if (!wasHidden) log.warn({ err }, 'nobody can take over from this process');
    }
  }
}
