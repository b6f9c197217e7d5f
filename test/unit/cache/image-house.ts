import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedImage, loadImage } from '../../../src/cache/image-reader.ts';
import type { ImageTime } from '../../../src/cache/image-time.ts';
import { type SavedImage, type SaveOptions, saveImage } from '../../../src/cache/image-writer.ts';
import type { ImageZones } from '../../../src/cache/image-zone.ts';
import type { Message as WireMessage } from '../../../src/wire/codec.ts';
import { encodeName } from '../../client/message.ts';
import { CLUSTER, House, type HouseOptions, OUTSIDE } from '../resolve/house.ts';

const CLUSTER_SUFFIX = encodeName('cluster.local');

export interface ImageHouseOptions extends HouseOptions {
  bytes?: number;
  /** What the zones' answers depend on, in their labels. */
  edition?: string;
}

/** A process with a cache of its own, a clock of its own origin, and a secret of its own. */
export class ImageHouse {
  readonly house: House;
  readonly seed: number;
  /** As the machine has it, where it is not set. */
  time: ImageTime | undefined;
  readonly #zones: ImageZones;

  constructor({ bytes, edition = '', seed = 12_345, ...options }: ImageHouseOptions = {}) {
    this.seed = seed;
    this.house = new House(bytes, { seed, ...options });
    const { zones } = this.house;
    const root = { id: zones.id('.'), label: `. ${edition}`, cache: OUTSIDE };
    const cluster = { id: zones.id('cluster.local.'), label: 'cluster.local.', cache: CLUSTER };
    this.#zones = {
      ofId: (id) => [root, cluster].find((zone) => zone.id === id),
      ofName: (octets, start, nameEnd) =>
        Buffer.from(octets.subarray(start, nameEnd)).includes(CLUSTER_SUFFIX) ? cluster : root,
    };
  }

  /** Asks, and answers as the upstream: it is in the cache then. False where it was there before, and nobody was asked. */
  learn(name: string, sections: WireMessage & { flags?: number }, type = 'A'): boolean {
    const { house } = this;
    const upstream = name.endsWith('cluster.local') ? house.cluster : house.outside;
    house.ask({ name, type });
    if (upstream.asked.length === 0) return false;
    upstream.answer(sections);
    return true;
  }

  /** The address that the cache gives for a name, with its TTL; '' where it has none. Nobody is asked. */
  cached(name: string, type = 'A'): string {
    const { house } = this;
    const client = house.ask({ name, type });
    for (const upstream of [house.outside, house.cluster]) if (upstream.asked.length > 0) upstream.fail('overload');
    const { answers, rcode } = client.reply;
    return answers.length === 0 ? (rcode === 3 ? 'NXDOMAIN' : '') : `${answers[0]!.data} ${answers[0]!.ttl}`;
  }

  save(path: string, options?: Partial<SaveOptions>): Promise<SavedImage> {
    return withFile(path, 'w', (fd) => this.saveTo(fd, options));
  }

  load(path: string): Promise<LoadedImage> {
    return withFile(path, 'r', (fd) => this.loadFrom(fd));
  }

  saveTo(fd: number, options: Partial<SaveOptions> = {}): Promise<SavedImage> {
    const { clock, cache } = this.house;
    return saveImage(fd, cache, { clock, zones: this.#zones, ...this.#times(), ...options });
  }

  loadFrom(fd: number, signal?: AbortSignal): Promise<LoadedImage> {
    const { clock, cache } = this.house;
    return loadImage(fd, cache, { clock, seed: this.seed, zones: this.#zones, signal, ...this.#times() });
  }

  #times(): { time?: () => ImageTime } {
    const { time } = this;
    return time === undefined ? {} : { time: () => time };
  }
}

export function a(name: string, address: string, ttl = 60): WireMessage {
  return { answers: [{ name, type: 'A', ttl, data: address }] };
}

export function nxdomain(zone: string, ttl = 30): WireMessage & { flags: number } {
  const soa = {
    mname: `ns.${zone}`,
    rname: `hostmaster.${zone}`,
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum: ttl,
  };
  return { flags: 0x0183, authorities: [{ name: zone, type: 'SOA', ttl, data: soa }] };
}

/** A folder that goes with the test. */
export async function scratch(t: { after: (done: () => void) => void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-image-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The file with some octets changed, or cut off. */
export function damage(path: string, change: (octets: Buffer) => Buffer | undefined): void {
  const octets = readFileSync(path);
  writeFileSync(path, change(octets) ?? octets);
}

async function withFile<T>(path: string, flags: string, use: (fd: number) => Promise<T>): Promise<T> {
  const fd = openSync(path, flags);
  try {
    return await use(fd);
  } finally {
    closeSync(fd);
  }
}
