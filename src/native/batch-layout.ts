import { UDP_BATCH, UDP_QUERY_BYTES } from '../core/limits.ts';
import { CMSGHDR_BYTES, IOVEC_BYTES, MMSGHDR_BYTES } from './struct-layout.ts';

/** Where everything lies in the one block of memory of a `DatagramBatch`. */

/** Datagrams a call. */
export const BATCH = UDP_BATCH.value;
/** Bytes of one datagram, in or out, that a slot has room for. */
export const SLOT_BYTES = UDP_QUERY_BYTES.value;
/** One cache line more than that: slots a power of two apart would share a few sets of the first-level cache. */
export const SLOT_STRIDE = SLOT_BYTES + 64;

/** Who sent a datagram, and which of our addresses it was sent to (a control message, where a wildcard is bound). */
export const ENVELOPE_BYTES = 96;
export const ENVELOPE_CONTROL = 32;
/** Pieces of one message out. */
export const VECTORS_OUT = 3;
/** CMSG_SPACE of the length of a segment. */
export const SEGMENT_CONTROL_BYTES = CMSGHDR_BYTES + 8;

const SLOTS = 0;
export const ENVELOPES = SLOTS + BATCH * SLOT_STRIDE;
export const VECTORS_IN_AT = ENVELOPES + BATCH * ENVELOPE_BYTES;
export const VECTORS_OUT_AT = VECTORS_IN_AT + BATCH * IOVEC_BYTES;
export const HEADERS_IN_AT = VECTORS_OUT_AT + BATCH * VECTORS_OUT * IOVEC_BYTES;
export const HEADERS_OUT_AT = HEADERS_IN_AT + BATCH * MMSGHDR_BYTES;
/** A second set for what leaves in segments: messages of several slots, a piece for each, the length of the pieces. */
export const SEGMENT_HEADERS_AT = HEADERS_OUT_AT + BATCH * MMSGHDR_BYTES;
export const SEGMENT_VECTORS_AT = SEGMENT_HEADERS_AT + BATCH * MMSGHDR_BYTES;
export const SEGMENT_CONTROLS_AT = SEGMENT_VECTORS_AT + BATCH * IOVEC_BYTES;
export const BLOCK_BYTES = SEGMENT_CONTROLS_AT + BATCH * SEGMENT_CONTROL_BYTES;

/** Both words of a pointer, little endian. */
export function setAddress(words: Uint32Array, index: number, address: number): void {
  words[index] = address;
  words[index + 1] = address / 0x1_0000_0000;
}
