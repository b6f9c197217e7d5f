export const HIT_SUCCESS = 0;
export const HIT_DENIAL = 1;
export const MISS = 2;
export const SERVED_STALE = 3;
export const PREFETCH = 4;
/** The upstream said "no", and the last good answer was given. */
export const KEPT_LAST_GOOD = 5;
/** Answered without cache and upstream, because the configuration says so. */
export const REFUSED = 6;
export const FROM_HOSTS = 7;
export const NO_AAAA = 8;
/** An upstream's reply had records that did not belong to its question. */
export const TRIMMED = 9;

const EVENTS = 10;

/** What became of look-ups, a zone at a time: cells that the hot path increments and a scrape reads. */
export class CacheTraffic {
  #cells = new Float64Array(16 * EVENTS);

  count(zone: number, event: number): void {
    const cell = zone * EVENTS + event;
    if (cell >= this.#cells.length) this.#grow(cell);
    this.#cells[cell]!++;
  }

  read(zone: number, event: number): number {
    return this.#cells[zone * EVENTS + event] ?? 0;
  }

  #grow(cell: number): void {
    const wider = new Float64Array(2 * (cell + EVENTS));
    wider.set(this.#cells);
    this.#cells = wider;
  }
}
