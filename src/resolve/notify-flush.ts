import { NOTIFIED_ZONES } from '../core/limits.ts';
import { Timer, type TimerWheel } from '../core/timer-wheel.ts';
import type { ZoneFlush } from './zone-flush.ts';

/** A secondary fetches the zone after it has answered the NOTIFY: what is asked until then is old again. */
const AGAIN_MS = 2000;

/**
 * What a NOTIFY drops: the zone at once, and once more when the server has had time to fetch it. Further ones meanwhile drop nothing, for anyone can send
 * them, and a cache that is always empty is none.
 */
export class NotifyFlush {
  readonly #flush: ZoneFlush;
  readonly #wheel: TimerWheel;
  readonly #notified = new Map<string, Timer>();

  constructor(flush: ZoneFlush, wheel: TimerWheel) {
    this.#flush = flush;
    this.#wheel = wheel;
  }

  /** `zone`: an uncompressed name, lower case, which is kept. */
  note(zone: Uint8Array): void {
    const key = Buffer.from(zone).toString('latin1');
    if (this.#notified.has(key)) return;
    if (this.#notified.size >= NOTIFIED_ZONES.value) {
      NOTIFIED_ZONES.hits++;
      return;
    }
    const again = new Again(() => {
      this.#notified.delete(key);
      this.#flush.flush(zone, 'notify');
    });
    this.#notified.set(key, again);
    this.#wheel.set(again, AGAIN_MS);
    this.#flush.flush(zone, 'notify');
  }
}

class Again extends Timer {
  readonly #onOver: () => void;

  constructor(onOver: () => void) {
    super();
    this.#onOver = onOver;
  }

  override onTimeout(): void {
    this.#onOver();
  }
}
