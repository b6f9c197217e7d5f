import type { EntryMemory } from '../cache/entry-memory.ts';
import {
  EDE_STALE_ANSWER,
  EDE_STALE_NXDOMAIN,
  FLAG_AD,
  FLAG_CD,
  FLAG_QR,
  FLAG_RA,
  FLAG_RD,
  FLAG_TC,
  HEADER_LENGTH,
  OPTION_ORIGIN,
  RCODE_NXDOMAIN,
} from '../wire/constants.ts';
import { edeOption, findOption, writeOpt } from '../wire/edns.ts';
import { RecordFit } from '../wire/fit.ts';
import type { QueryView } from '../wire/query.ts';
import type { Reply } from '../wire/reply.ts';
import { rotateGroup, rotateUneven } from '../wire/rotate.ts';
import { setTtls, subtractTtls } from '../wire/ttl.ts';

/** What we send and take in one datagram: no fragment on any path that carries IPv6 (RFC 9715). */
export const UDP_PAYLOAD_BYTES = 1232;
const STREAM_PAYLOAD_BYTES = 65_535;
const OPCODE_MASK = 0x7800;

const NOTHING = new Uint8Array(0);
const OPT_PLAIN = wholeOpt(false);
const OPT_DNSSEC_OK = wholeOpt(true);
const STALE_ANSWER = edeOption(EDE_STALE_ANSWER, '');
const STALE_NXDOMAIN = edeOption(EDE_STALE_NXDOMAIN, '');

/**
 * Makes replies out of a query and an entry. The query's own bytes become header and question, so the client's case stays as it was asked;
 * records are gathered from where they are kept. Nothing is copied but options.
 */
export class Composer {
  readonly #fit = new RecordFit();
  readonly #options = new Uint8Array(512);

  /** The entry at `at` as it is now: TTLs counted down, addresses and names rotated. `origin` says where it came from, for clients that ask. */
  compose(
    query: QueryView,
    memory: EntryMemory,
    at: number,
    nowMs: number,
    isStream: boolean,
    origin: string,
    reply: Reply,
  ): void {
    countDown(memory, at, nowMs);
    if (memory.groupCount(at) !== 0) rotate(memory, at);
    const optionsStart = memory.optionsStart(at);
    this.#tail(
      query,
      memory.rcode(at),
      memory.bytes,
      optionsStart,
      optionsStart + memory.optionsLength(at),
      origin,
      reply,
    );
    this.#assemble(query, memory, at, isStream, reply);
  }

  /** The entry although its time is over: every TTL is `ttlSeconds`, and an extended error says so (RFC 8767, RFC 8914). */
  composeStale(
    query: QueryView,
    memory: EntryMemory,
    at: number,
    ttlSeconds: number,
    isStream: boolean,
    reply: Reply,
  ): void {
    setTtls(memory.bytes, memory.bodyStart(at), memory.u16, memory.ttlIndex(at), memory.ttlCount(at), ttlSeconds);
    if (memory.groupCount(at) !== 0) rotate(memory, at);
    const code = memory.rcode(at) === RCODE_NXDOMAIN ? STALE_NXDOMAIN : STALE_ANSWER;
    const keptStart = memory.optionsStart(at);
    const keptLength = memory.optionsLength(at);
    this.#options.set(code);
    this.#options.set(memory.bytes.subarray(keptStart, keptStart + keptLength), code.length);
    this.#tail(query, memory.rcode(at), this.#options, 0, code.length + keptLength, 'stale', reply);
    this.#assemble(query, memory, at, isStream, reply);
  }

  /** A reply without records. `options`: EDNS options, whole, for a client with OPT. Works for a message whose question cannot be read. */
  composeRcode(query: QueryView, rcode: number, options: Uint8Array, reply: Reply): void {
    this.#tail(query, rcode, options, 0, options.length, 'local', reply);
    setBody(reply, NOTHING, 0, 0);
    const flags = FLAG_QR | FLAG_RA | (query.flags & (OPCODE_MASK | FLAG_RD | FLAG_CD)) | (rcode & 15);
    setHead(query, flags, 0, 0, reply.tailEnd > reply.tailStart ? 1 : 0, reply);
  }

  /**
   * An answer whose records lie in [start, end) of `message`, behind a header with their counts. All of them are given: whether the client takes so many is for the caller
   * to see.
   */
  composeRecords(
    query: QueryView,
    rcode: number,
    message: Uint8Array,
    start: number,
    end: number,
    origin: string,
    reply: Reply,
  ): void {
    this.#tail(query, rcode, NOTHING, 0, 0, origin, reply);
    setBody(reply, message, start, end);
    const flags = FLAG_QR | FLAG_RA | (query.flags & (FLAG_RD | FLAG_CD)) | (rcode & 15);
    const additionals = read16(message, 10) + (reply.tailEnd > reply.tailStart ? 1 : 0);
    setHead(query, flags, read16(message, 6), read16(message, 8), additionals, reply);
  }

  #assemble(query: QueryView, memory: EntryMemory, at: number, isStream: boolean, reply: Reply): void {
    const rcode = memory.rcode(at);
    const bodyStart = memory.bodyStart(at);
    const bodyEnd = bodyStart + memory.bodyLength(at);
    let answers = memory.answers(at);
    let authorities = memory.authorities(at);
    let additionals = memory.additionals(at);
    let flags = FLAG_QR | FLAG_RA | (query.flags & (FLAG_RD | FLAG_CD)) | memory.flags(at) | (rcode & 15);
    // RFC 6840, section 5.7: AD is for those who said that they understand it.
    if (!query.dnssecOk && (query.flags & FLAG_AD) === 0) flags &= ~FLAG_AD;
    const most = isStream ? STREAM_PAYLOAD_BYTES : Math.min(query.udpSize, UDP_PAYLOAD_BYTES);
    const room = most - (query.questionEnd - query.start) - (reply.tailEnd - reply.tailStart);
    if (bodyEnd - bodyStart <= room) {
      setBody(reply, memory.bytes, bodyStart, bodyEnd);
    } else {
      const fit = this.#fit;
      fit.fit(memory.bytes, bodyStart, bodyEnd, answers, authorities, additionals, room);
      ({ answers, authorities, additionals } = fit);
      if (fit.truncated) flags |= FLAG_TC;
      setBody(reply, memory.bytes, bodyStart, fit.end);
    }
    setHead(query, flags, answers, authorities, additionals + (reply.tailEnd > reply.tailStart ? 1 : 0), reply);
  }

  /** OPT is hop by hop: ours answers the client's, and stands only where the client sent one (RFC 6891, section 6.1.1). */
  #tail(
    query: QueryView,
    rcode: number,
    options: Uint8Array,
    start: number,
    end: number,
    origin: string,
    reply: Reply,
  ): void {
    if (!query.hasOpt) {
      setTail(reply, NOTHING, 0);
    } else if (start === end && rcode < 16 && query.optionsStart === query.optionsEnd) {
      setTail(reply, query.dnssecOk ? OPT_DNSSEC_OK : OPT_PLAIN, OPT_PLAIN.length);
    } else {
      const bytes = reply.scratch;
      let length = writeOpt(bytes, 0, UDP_PAYLOAD_BYTES, rcode >> 4, query.dnssecOk, options, start, end);
      if (findOption(query.bytes, query.optionsStart, query.optionsEnd, OPTION_ORIGIN) !== -1) {
        length = appendOrigin(bytes, length, origin);
      }
      setTail(reply, bytes, length);
    }
  }
}

function countDown(memory: EntryMemory, at: number, nowMs: number): void {
  const leftSeconds = Math.ceil((memory.freshUntilMs(at) - nowMs) / 1000);
  const passedSeconds = memory.ttlSeconds(at) - leftSeconds;
  if (passedSeconds <= 0) return;
  subtractTtls(memory.bytes, memory.bodyStart(at), memory.u16, memory.ttlIndex(at), memory.ttlCount(at), passedSeconds);
  memory.setTtlSeconds(at, leftSeconds);
}

function rotate(memory: EntryMemory, at: number): void {
  const { u16 } = memory;
  const bodyStart = memory.bodyStart(at);
  const groups = memory.groupIndex(at);
  const end = groups + 3 * memory.groupCount(at);
  for (let i = groups; i < end; i += 3) {
    const offset = u16[i]!;
    const recordLength = u16[i + 1]!;
    const count = u16[i + 2]!;
    if (recordLength !== 0) rotateGroup(memory.bytes, bodyStart + offset, recordLength, count);
    else rotateUneven(memory.bytes, bodyStart, offset, memory.optionsStart(at), u16, groups - count, count);
  }
}

function setHead(
  query: QueryView,
  flags: number,
  answers: number,
  authorities: number,
  additionals: number,
  reply: Reply,
): void {
  const { bytes, start } = query;
  const hasQuestion = query.questionEnd !== 0;
  bytes[start + 2] = flags >> 8;
  bytes[start + 3] = flags;
  bytes[start + 4] = 0;
  bytes[start + 5] = hasQuestion ? 1 : 0;
  bytes[start + 6] = answers >> 8;
  bytes[start + 7] = answers;
  bytes[start + 8] = authorities >> 8;
  bytes[start + 9] = authorities;
  bytes[start + 10] = additionals >> 8;
  bytes[start + 11] = additionals;
  reply.head = bytes;
  reply.headStart = start;
  reply.headEnd = hasQuestion ? query.questionEnd : start + HEADER_LENGTH;
}

function read16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function setBody(reply: Reply, bytes: Uint8Array, start: number, end: number): void {
  reply.body = bytes;
  reply.bodyStart = start;
  reply.bodyEnd = end;
}

function setTail(reply: Reply, bytes: Uint8Array, length: number): void {
  reply.tail = bytes;
  reply.tailStart = 0;
  reply.tailEnd = length;
}

function appendOrigin(opt: Uint8Array, length: number, origin: string): number {
  const textLength = Math.min(origin.length, 64);
  opt[length] = OPTION_ORIGIN >> 8;
  opt[length + 1] = OPTION_ORIGIN & 0xff;
  opt[length + 2] = 0;
  opt[length + 3] = textLength;
  for (let i = 0; i < textLength; i++) opt[length + 4 + i] = origin.charCodeAt(i);
  const end = length + 4 + textLength;
  // RDLENGTH is the last field of the fixed part, 11 bytes in all.
  opt[9] = (end - 11) >> 8;
  opt[10] = end - 11;
  return end;
}

function wholeOpt(dnssecOk: boolean): Uint8Array {
  const bytes = new Uint8Array(11);
  writeOpt(bytes, 0, UDP_PAYLOAD_BYTES, 0, dnssecOk, NOTHING, 0, 0);
  return bytes;
}
