import { DOUBTFUL_ZONES } from '../../core/limits.ts';
import { Alarm, type TimerWheel } from '../../core/timer-wheel.ts';
import type { FlushReason, ZoneFlush } from '../zone-flush.ts';

/** A secondary fetches the zone after it has answered the NOTIFY: what is asked until then is old again. */
const AGAIN_MS = 2000;

/**
 * Drops a zone that may have changed, for a NOTIFY or an update whose answer did not come: at once, and once more when a server has had time to fetch it.
 * Further signs meanwhile drop nothing, for any pod can give them, and a cache that is always empty is none.
 */
export class DoubtfulFlush {
  readonly #flush: ZoneFlush;
  readonly #wheel: TimerWheel;
  readonly #pending = new Set<string>();

  constructor(flush: ZoneFlush, wheel: TimerWheel) {
    this.#flush = flush;
    this.#wheel = wheel;
  }

  /** `zone`: an uncompressed name, lower case, which is kept. */
  note(zone: Uint8Array, reason: FlushReason): void {
    const key = Buffer.from(zone).toString('latin1');
    if (this.#pending.has(key)) return;
    if (this.#pending.size >= DOUBTFUL_ZONES.value) {
      DOUBTFUL_ZONES.hits++;
      return;
    }
    const again = new Alarm(() => {
      this.#pending.delete(key);
      this.#flush.flush(zone, reason);
    });
    this.#pending.add(key);
    this.#wheel.set(again, AGAIN_MS);
    this.#flush.flush(zone, reason);
  }
}
