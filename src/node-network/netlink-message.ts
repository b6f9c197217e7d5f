import { endianness } from 'node:os';

/** struct nlmsghdr: length, type, flags, sequence number, port; in the machine's order. */
export const HEADER_BYTES = 16;
/** A refusal, or an acknowledgement where its code is 0 (NLMSG_ERROR). */
const ERROR = 2;

export const FLAG_REQUEST = 0x1;
export const FLAG_ACK = 0x4;
export const FLAG_CREATE = 0x400;

const NESTED = 0x8000;
const TYPE_BITS = 0x3fff;
const isLittleEndian = endianness() === 'LE';

export interface NetlinkHeader {
  readonly type: number;
  readonly sequence: number;
  /** Where what follows the header lies. */
  readonly start: number;
  readonly end: number;
}

/** An attribute (netlink(7)): length and type, then `value`, padded to four bytes. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align(4 + value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + value.length, isLittleEndian);
  view.setUint16(2, type, isLittleEndian);
  bytes.set(value, 4);
  return bytes;
}

/** An attribute made of attributes. */
export function nested(type: number, ...attributes: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NESTED, Buffer.concat(attributes));
}

/** Text with its final zero, as the kernel has names. */
export function text(type: number, value: string): Uint8Array {
  return attribute(type, Buffer.from(`${value}\0`, 'latin1'));
}

export function message(type: number, flags: number, sequence: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const bytes = Buffer.concat([header, ...parts]);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(0, bytes.length, isLittleEndian);
  view.setUint16(4, type, isLittleEndian);
  view.setUint16(6, flags, isLittleEndian);
  view.setUint32(8, sequence, isLittleEndian);
  return bytes;
}

/** The messages in what was received; what does not fit in ends it. */
export function* readMessages(bytes: Uint8Array): Generator<NetlinkHeader> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint32(at, isLittleEndian);
    if (length < HEADER_BYTES || at + length > bytes.length) return;
    yield {
      type: view.getUint16(at + 4, isLittleEndian),
      sequence: view.getUint32(at + 8, isLittleEndian),
      start: at + HEADER_BYTES,
      end: at + length,
    };
    at += align(length);
  }
}

/** The code of a refusal (an errno, positive), 0 of an acknowledgement; undefined of any other message. */
export function errorCode(bytes: Uint8Array, { type, start, end }: NetlinkHeader): number | undefined {
  if (type !== ERROR || end - start < 4) return undefined;
  return 0 - new DataView(bytes.buffer, bytes.byteOffset).getInt32(start, isLittleEndian);
}

/** The text of the first attribute of that type in [start, end), or undefined. */
export function textOf(bytes: Uint8Array, start: number, end: number, type: number): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = start; at + 4 <= end; ) {
    const length = view.getUint16(at, isLittleEndian);
    if (length < 4 || at + length > end) return undefined;
    if ((view.getUint16(at + 2, isLittleEndian) & TYPE_BITS) === type) {
      return Buffer.from(bytes.buffer, bytes.byteOffset + at + 4, length - 4)
        .toString('latin1')
        .replace(/\0.*$/s, '');
    }
    at += align(length);
  }
  return undefined;
}

function align(length: number): number {
  return (length + 3) & ~3;
}
