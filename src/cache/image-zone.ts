import type { CachePolicy } from '../config/config.ts';

/** A zone as an image has it. */
export interface ImageZone {
  /** Its number in cached entries. */
  readonly id: number;
  /** Its name, and what its answers depend on: entries of a zone that is answered otherwise now are not taken over. At most 512 octets. */
  readonly label: string;
  readonly cache: CachePolicy;
}

/** The zones of the configuration, for those who write and read images. */
export interface ImageZones {
  /** Undefined: what is kept under that number is not written. */
  ofId(id: number): ImageZone | undefined;
  /** The zone that an uncompressed name would be asked under now; undefined: none that keeps answers. */
  ofName(bytes: Uint8Array, start: number, nameEnd: number): ImageZone | undefined;
}
