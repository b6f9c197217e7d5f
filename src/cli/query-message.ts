import { CLASS_IN, FLAG_AD, FLAG_RD, HEADER_LENGTH } from '../wire/constants.ts';
import { writeOpt } from '../wire/edns.ts';

/** What fits a datagram on every path (DNS flag day 2020). */
const UDP_SIZE = 1232;

/** An OPT record's octets before its options (RFC 6891, section 6.1.2). */
export const OPT_LENGTH = 11;

export interface QueryMessageOptions {
  readonly id: number;
  readonly dnssecOk: boolean;
  /** Codes of EDNS options that are sent empty, to ask for an answer in kind. */
  readonly askedOptions: readonly number[];
}

/** A query with RD, AD and OPT for an uncompressed name on the wire. */
export function queryMessage(
  name: Uint8Array,
  type: number,
  { id, dnssecOk, askedOptions }: QueryMessageOptions,
): Uint8Array {
  const questionEnd = HEADER_LENGTH + name.length + 4;
  const message = Buffer.alloc(questionEnd + OPT_LENGTH + 4 * askedOptions.length);
  message.writeUInt16BE(id, 0);
  message.writeUInt16BE(FLAG_RD | FLAG_AD, 2);
  message.writeUInt16BE(1, 4);
  message.writeUInt16BE(1, 10);
  message.set(name, HEADER_LENGTH);
  message.writeUInt16BE(type, questionEnd - 4);
  message.writeUInt16BE(CLASS_IN, questionEnd - 2);
  const options = Buffer.alloc(4 * askedOptions.length);
  askedOptions.forEach((code, index) => {
    options.writeUInt16BE(code, 4 * index);
  });
  writeOpt(message, questionEnd, UDP_SIZE, 0, dnssecOk, options, 0, options.length);
  return message;
}
