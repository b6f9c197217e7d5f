import { createHmac } from 'node:crypto';
import { encodeName } from './message.ts';

/** A key shared with a server (RFC 8945); HMAC-SHA256. */
export interface TsigKey {
  readonly name: string;
  readonly secret: Buffer;
}

const ALGORITHM = encodeName('hmac-sha256.');
const FUDGE_SECONDS = 300;

export interface Signed {
  readonly message: Buffer;
  readonly mac: Buffer;
}

/** Signs a message as if it were `seconds` since 1970. */
export function signMessage(message: Buffer, key: TsigKey, seconds: number): Signed {
  const variables = Buffer.concat([encodeName(key.name), bytes16(255), Buffer.alloc(4), ALGORITHM, timing(seconds)]);
  const mac = hmac(key, message, variables, bytes16(0), bytes16(0));
  const data = Buffer.concat([
    ALGORITHM,
    timing(seconds),
    bytes16(mac.length),
    mac,
    message.subarray(0, 2),
    Buffer.alloc(4),
  ]);
  const head = Buffer.concat([encodeName(key.name), bytes16(250), bytes16(255), Buffer.alloc(4), bytes16(data.length)]);
  const signed = Buffer.concat([message, head, data]);
  signed.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
  return { message: signed, mac };
}

export interface TsigVerdict {
  /** The reply is what the holder of the key has signed, in answer to that request. */
  readonly isGood: boolean;
  /** 16: BADSIG, 17: BADKEY, 18: BADTIME. */
  readonly error: number;
}

/** Reads the TSIG record at the end of a reply to what was signed with `mac`, and checks it. */
export function verifyReply(reply: Buffer, key: TsigKey, mac: Buffer): TsigVerdict {
  const name = encodeName(key.name);
  const owner = Buffer.concat([name, bytes16(250), bytes16(255), Buffer.alloc(4)]);
  const at = reply.lastIndexOf(owner);
  if (at < 0) return { isGood: false, error: -1 };
  const data = reply.subarray(at + owner.length + 2);
  const time = data.subarray(ALGORITHM.length, ALGORITHM.length + 8);
  const macLength = data.readUInt16BE(ALGORITHM.length + 8);
  const macAt = ALGORITHM.length + 10;
  const found = data.subarray(macAt, macAt + macLength);
  const rest = data.subarray(macAt + macLength + 2);
  const unsigned = Buffer.from(reply.subarray(0, at));
  unsigned.writeUInt16BE(unsigned.readUInt16BE(10) - 1, 10);
  const variables = Buffer.concat([name, bytes16(255), Buffer.alloc(4), ALGORITHM, time]);
  const expected = hmac(key, bytes16(mac.length), mac, unsigned, variables, rest);
  return { isGood: found.equals(expected), error: rest.readUInt16BE(0) };
}

function hmac({ secret }: TsigKey, ...pieces: readonly Buffer[]): Buffer {
  return createHmac('sha256', secret).update(Buffer.concat(pieces)).digest();
}

/** 48 bits of time, and the fudge. */
function timing(seconds: number): Buffer {
  return Buffer.concat([
    bytes16(Math.floor(seconds / 2 ** 32)),
    bytes16(seconds >>> 16),
    bytes16(seconds & 0xffff),
    bytes16(FUDGE_SECONDS),
  ]);
}

function bytes16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
