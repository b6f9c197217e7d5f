import { randomBytes } from 'node:crypto';
import { OPTION_COOKIE, RCODE_BADCOOKIE } from '../wire/constants.ts';
import { findOption } from '../wire/edns.ts';
import { MessageScan } from '../wire/message-scan.ts';

/** A reply that is as it should be. */
export const COOKIE_GOOD = 0;
/** Somebody made it who did not see the question. */
export const COOKIE_WRONG = 1;
/** It should have had a cookie, or the server wants another one: TCP tells what is true. */
export const COOKIE_DOUBTFUL = 2;

/** RFC 7873, section 4: the client's part, and the bounds of the server's. */
const CLIENT_BYTES = 8;
const SERVER_LEAST = 8;
const SERVER_MOST = 32;
const OPTION_HEAD = 4;
/** After so many replies in a row without a cookie, a server is taken for one that no longer has any. */
const MISSING_BEFORE_FORGOTTEN = 3;

/** Bytes that a query may grow by. */
export const COOKIE_MOST = OPTION_HEAD + CLIENT_BYTES + SERVER_MOST;

const scan = new MessageScan();

/** The cookies that are exchanged with one server (RFC 7873): it proves that it saw our question, and we that we saw its last reply. */
export class Cookies {
  readonly #client = randomBytes(CLIENT_BYTES);
  #server: Uint8Array = new Uint8Array(0);
  #missing = 0;

  /** Adds the option to a query that ends at `end` with an OPT without options; returns its new end. */
  write(query: Uint8Array, end: number): number {
    const length = CLIENT_BYTES + this.#server.length;
    const dataLength = OPTION_HEAD + length;
    query[end - 2] = dataLength >> 8;
    query[end - 1] = dataLength;
    query[end] = 0;
    query[end + 1] = OPTION_COOKIE;
    query[end + 2] = 0;
    query[end + 3] = length;
    query.set(this.#client, end + OPTION_HEAD);
    query.set(this.#server, end + OPTION_HEAD + CLIENT_BYTES);
    return end + dataLength;
  }

  /** One of the COOKIE_ numbers for the reply to a query that `write` has seen; learns the server's part (RFC 7873, section 5.3). */
  judge(reply: Uint8Array, start: number, end: number): number {
    if (!scan.scan(reply, start, end)) return COOKIE_WRONG;
    const option = scan.hasOpt ? findOption(reply, scan.optionsStart, scan.optionsEnd, OPTION_COOKIE) : -1;
    if (option === -1) return this.#judgeMissing();
    const length = (reply[option + 2]! << 8) | reply[option + 3]!;
    const at = option + OPTION_HEAD;
    if (length < CLIENT_BYTES || !this.#isOurs(reply, at)) return COOKIE_WRONG;
    const serverLength = length - CLIENT_BYTES;
    if (serverLength !== 0 && (serverLength < SERVER_LEAST || serverLength > SERVER_MOST)) return COOKIE_WRONG;
    this.#learn(reply, at + CLIENT_BYTES, serverLength);
    return scan.rcode === RCODE_BADCOOKIE ? COOKIE_DOUBTFUL : COOKIE_GOOD;
  }

  /** A server that has never given one need not. */
  #judgeMissing(): number {
    if (this.#server.length === 0) return COOKIE_GOOD;
    if (++this.#missing === MISSING_BEFORE_FORGOTTEN) this.#server = new Uint8Array(0);
    return COOKIE_DOUBTFUL;
  }

  #isOurs(reply: Uint8Array, at: number): boolean {
    for (let i = 0; i < CLIENT_BYTES; i++) if (reply[at + i] !== this.#client[i]) return false;
    return true;
  }

  #learn(reply: Uint8Array, at: number, length: number): void {
    this.#missing = 0;
    if (length === 0) return;
    if (this.#server.length !== length) this.#server = new Uint8Array(length);
    for (let i = 0; i < length; i++) this.#server[i] = reply[at + i]!;
  }
}
