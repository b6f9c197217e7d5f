import { crc32 } from 'node:zlib';
import { SignpostError } from '../core/errors.ts';
import type { ImageTime } from './image-time.ts';

/*
 * The cache as a file. Numbers are little endian, as the machines have them that we run on.
 *
 *   header   0 magic (16)   16 u32 version   20 u32 flags   24 f64 bootMs   32 f64 wallMs   40 boot id (36)   76 u32 entries, about   92 u32 CRC of what stands before
 *   blocks   0 u32 'blok'    4 u32 length     8 u32 CRC      12 u32 number, from 0     16 records, each a multiple of 8 octets
 *   trailer  0 u32 'tail'    4 u32 16         8 u32 CRC of the header and all blocks   12 u32 blocks   16 u32 entries   20 u32 0   24 f64 octets before it
 *
 *   zone     0 u32 length    4 u32 1    8 u16 number   10 u16 label's length   12 label
 *   entry    0 u32 length    4 u32 0    8 f64 life left (ms; below 0: over)   16 f64 left until a refresh (of a kept one: until it goes)
 *           24 u32 ttlSeconds   28 u16 number of its zone   30 u16 kind   32 u16 state (kept; IMAGE_OUTDATED; DO and CD)   34 u16 flags   36 u16 rcode   38 u16 hits
 *           40 u16 questionLength   42 u16 bodyLength   44 u16 answers   46 u16 authorities   48 u16 additionals   50 u16 optionsLength
 *           56 question | body | options
 *
 * A zone stands before its first entry. Every block can be checked by itself, so that a reader keeps nothing that it has not checked, in memory of one block.
 */
export const IMAGE_VERSION = 1;
export const HEADER_BYTES = 96;
export const BLOCK_HEADER_BYTES = 16;
export const TRAILER_BYTES = 32;
/** Of one block with its head: four pages of the slab. */
export const BLOCK_BYTES = 256 * 1024;
export const BLOCK_MAGIC = 0x6b_6f_6c_62;
export const TRAILER_MAGIC = 0x6c_69_61_74;

export const RECORD_ENTRY = 0;
export const RECORD_ZONE = 1;
export const ENTRY_HEAD_BYTES = 56;
export const ZONE_HEAD_BYTES = 12;
/** In an entry's state, of one in an earlier image: it is known to be out of date since. */
export const IMAGE_OUTDATED = 4;
/** Of a zone's label. */
export const MOST_LABEL_BYTES = 512;
/** Zones of one image: as many as have numbers. */
export const MOST_ZONES = 65_535;

/** The image has all there is, and what an earlier one brought is to be forgotten. */
export const FLAG_REPLACES = 1;

const MAGIC = Buffer.from('signpost\x00cache\r\n', 'latin1');
const BOOT_ID_BYTES = 36;

export interface ImageHeader extends ImageTime {
  readonly flags: number;
  /** How many it may have. */
  readonly expected: number;
}

export function encodeHeader({ bootId, bootMs, wallMs, flags, expected }: ImageHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(IMAGE_VERSION, 16);
  bytes.writeUInt32LE(flags, 20);
  bytes.writeDoubleLE(bootMs, 24);
  bytes.writeDoubleLE(wallMs, 32);
  bytes.write(bootId, 40, BOOT_ID_BYTES, 'latin1');
  bytes.writeUInt32LE(expected, 76);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES - 4)), HEADER_BYTES - 4);
  return bytes;
}

/** Throws ERR_IMAGE_FOREIGN for what is no image, ERR_IMAGE_VERSION for one of another format, ERR_IMAGE_CORRUPT for a damaged one. */
export function decodeHeader(bytes: Buffer): ImageHeader {
  if (bytes.length < MAGIC.length || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new SignpostError('ERR_IMAGE_FOREIGN', 'Not a cache image: it does not begin as one');
  }
  if (bytes.length < HEADER_BYTES) throw corrupt('it ends in its header');
  const version = bytes.readUInt32LE(16);
  if (version !== IMAGE_VERSION) {
    throw new SignpostError(
      'ERR_IMAGE_VERSION',
      `A cache image of format ${version}: this version reads ${IMAGE_VERSION}`,
    );
  }
  if (bytes.readUInt32LE(HEADER_BYTES - 4) !== crc32(bytes.subarray(0, HEADER_BYTES - 4))) {
    throw corrupt('its header does not match its checksum');
  }
  const bootMs = bytes.readDoubleLE(24);
  const wallMs = bytes.readDoubleLE(32);
  if (!Number.isFinite(bootMs) || !Number.isFinite(wallMs)) throw corrupt('it has no time');
  const bootId = bytes.toString('latin1', 40, 40 + BOOT_ID_BYTES).replace(/\0+$/, '');
  return { bootId, bootMs, wallMs, flags: bytes.readUInt32LE(20), expected: bytes.readUInt32LE(76) };
}

export function corrupt(why: string): SignpostError {
  return new SignpostError('ERR_IMAGE_CORRUPT', `The cache image is damaged: ${why}`);
}
