import { ZONES } from '../core/limits.ts';

/** The id of messages that belong to no zone: malformed, or refused before a route was looked up. CoreDNS labels them so, without a dot. */
export const NO_ZONE = 0;

/** Small integers for zone names, stable for the process's life, so that the data plane counts by index. */
export class ZoneIds {
  readonly #names: string[] = ['dropped'];
  readonly #ids = new Map<string, number>();

  /** How many ids were given out; all are below it. */
  get size(): number {
    return this.#names.length;
  }

  /** The id of a zone (`cluster.local.`, `.`), a new one where it was not seen before. `NO_ZONE` past the limit. */
  id(zone: string): number {
    const known = this.#ids.get(zone);
    if (known !== undefined) return known;
    if (this.#names.length > ZONES.value) {
      ZONES.hits++;
      return NO_ZONE;
    }
    const id = this.#names.push(zone) - 1;
    this.#ids.set(zone, id);
    return id;
  }

  /** The zone of an id that `id` gave out. */
  name(id: number): string {
    return this.#names[id]!;
  }
}
