import type { AnswerCache } from '../cache/answer-cache.ts';
import { type LoadedImage, loadImage } from '../cache/image-reader.ts';
import { type SavedImage, type SaveOptions, saveImage } from '../cache/image-writer.ts';
import type { ImageZone, ImageZones } from '../cache/image-zone.ts';
import type { Config, ZoneConfig } from '../config/config.ts';
import { fingerprint } from '../config/fingerprint.ts';
import { upstreamKey } from '../config/upstream-address.ts';
import type { Clock } from '../core/clock.ts';
import type { ZoneIds } from '../metrics/zone-ids.ts';
import type { Zone } from '../resolve/zone.ts';
import type { RouteTable } from '../route/route-table.ts';

export interface CacheImageParts {
  cache: AnswerCache;
  clock: Clock;
  /** Of the names in the cache's keys. */
  seed: number;
  ids: ZoneIds;
}

/** The cache as bytes that outlive the process: for the snapshot, and for the one who takes over. */
export class CacheImage {
  readonly #parts: CacheImageParts;
  readonly #zones: CachedZones;

  constructor(parts: CacheImageParts) {
    this.#parts = parts;
    this.#zones = new CachedZones(parts.ids);
  }

  /** The configuration as it is now. */
  replaceRoutes(config: Config, routes: RouteTable<Zone>): void {
    this.#zones.replace(config, routes);
  }

  /** Moves whenever an answer is kept. */
  get stored(): number {
    return this.#parts.cache.stored;
  }

  /** Moves whenever a zone is dropped: what was saved before must not come back. */
  get generation(): number {
    return this.#parts.cache.generation;
  }

  get entries(): number {
    return this.#parts.cache.size;
  }

  /** See `saveImage`. */
  save(fd: number, options: Omit<SaveOptions, 'clock' | 'zones'> = {}): Promise<SavedImage> {
    return saveImage(fd, this.#parts.cache, { ...options, clock: this.#parts.clock, zones: this.#zones });
  }

  /** See `loadImage`. */
  load(fd: number, signal?: AbortSignal): Promise<LoadedImage> {
    const { cache, clock, seed } = this.#parts;
    return loadImage(fd, cache, { clock, seed, zones: this.#zones, signal });
  }
}

/** A zone's label is its name and a fingerprint of all that its upstreams' answers depend on; names with hosts entries are looked up. Made when first wanted: a configuration may have 10,000 of them. */
class CachedZones implements ImageZones {
  readonly #ids: ZoneIds;
  readonly #known = new Map<number, ImageZone | undefined>();
  #config: ReadonlyMap<string, ZoneConfig> = new Map();
  #routes: RouteTable<Zone> | undefined;
  #clusterDomain = '';

  constructor(ids: ZoneIds) {
    this.#ids = ids;
  }

  replace(config: Config, routes: RouteTable<Zone>): void {
    this.#known.clear();
    this.#config = new Map(config.zones.map((zone) => [zone.zone, zone]));
    this.#routes = routes;
    this.#clusterDomain = config.clusterDomain;
  }

  ofId(id: number): ImageZone | undefined {
    if (!this.#known.has(id)) this.#known.set(id, this.#make(id));
    return this.#known.get(id);
  }

  ofName(bytes: Uint8Array, start: number, nameEnd: number): ImageZone | undefined {
    const zone = this.#routes?.lookup(bytes, start, nameEnd);
    if (zone === undefined || zone.isRefused || zone.rules?.hasHost(bytes, start, nameEnd) === true) return undefined;
    return this.ofId(zone.id);
  }

  #make(id: number): ImageZone | undefined {
    const zone = this.#config.get(this.#ids.name(id));
    return zone && { id, label: `${zone.zone} ${this.#print(zone)}`, cache: zone.cache };
  }

  #print({ upstreams, hasAaaa, cache, aliases, refuse }: ZoneConfig): string {
    const { positiveMinSeconds, positiveMaxSeconds, negativeMinSeconds, negativeMaxSeconds } = cache;
    const lives = [positiveMinSeconds, positiveMaxSeconds, negativeMinSeconds, negativeMaxSeconds];
    // What a name leads to may lie in any zone, and be answered by its hosts entries.
    const all = aliases.length === 0 ? [] : [...this.#config.values()];
    const targets = all.map((zone) => [servers(zone), zone.hosts]);
    const answers = [this.#clusterDomain, servers({ upstreams }), hasAaaa, lives, aliases, targets, refuse];
    return fingerprint(JSON.stringify(answers)).slice(0, 22);
  }
}

function servers({ upstreams }: Pick<ZoneConfig, 'upstreams'>): string[] {
  return upstreams.map(upstreamKey).toSorted();
}
