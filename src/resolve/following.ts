import { DNSSEC_OK } from '../cache/key.ts';
import type { Clock } from '../core/clock.ts';
import { FOLLOWED_A_TURN } from '../core/limits.ts';
import { Portions } from '../core/portions.ts';
import { CnameAnswer } from '../wire/cname-answer.ts';
import {
  FLAG_AA,
  FLAG_AD,
  HEADER_LENGTH,
  MAX_MESSAGE_LENGTH,
  MAX_NAME_LENGTH,
  OPTION_EDE,
  OPTION_ORIGIN,
  RCODE_NOERROR,
  RCODE_NXDOMAIN,
  RCODE_SERVFAIL,
  TYPE_CNAME,
} from '../wire/constants.ts';
import { copyBytes } from '../wire/copy.ts';
import { findOption, writeOpt } from '../wire/edns.ts';
import { MessageScan } from '../wire/message-scan.ts';
import { QueryView } from '../wire/query.ts';
import { Reply } from '../wire/reply.ts';
import type { Client } from './client.ts';
import { UDP_PAYLOAD_BYTES } from './composer.ts';
import type { Flight } from './flight.ts';
import type { Flights } from './flights.ts';
import { LOCAL_TTL_SECONDS } from './host-table.ts';
import { OwnClient } from './own-client.ts';
import { ANSWERED, DROPPED } from './responder.ts';

const OPT_LENGTH = 11;
/** Asks where the answer came from, and whether it is stale. */
const ASK_ORIGIN = Uint8Array.of(OPTION_ORIGIN >> 8, OPTION_ORIGIN & 0xff, 0, 0);
/** The extended error of what our own limits cause (`OVERLOADED`). */
const EDE_OTHER = 0;
const NOTHING = new Uint8Array(0);

/** Answers names in the agent's own cause: from the cache, by rules, or from upstream. */
export interface NameAnswers {
  /**
   * As `Responder.respond`, but that neither query nor answer is counted or logged, and that no alias is followed. `isRefresh`: what is about to end is not good enough.
   * Not to be called from an upstream's callback, nor while a batch of queries is being answered.
   */
  answerName(query: QueryView, isRefresh: boolean, nowMs: number, client: Client, reply: Reply): number;
}

export interface FollowingParts {
  clock: Clock;
  flights: Flights;
  names: NameAnswers;
  /** Of the names in the cache's keys. */
  seed: number;
}

/**
 * The way out of a flight whose name leads to another: that one is asked for as any client would, and its answer, behind a CNAME, comes back as an upstream's would. So it
 * is judged, kept under the name that was asked, coalesced, refreshed and bridged as all answers are, and the next one is a hit that knows nothing of this.
 * Begun and ended in turns of their own: neither the batch of queries that led here nor the upstream's answer may be disturbed.
 */
export class Following {
  readonly #parts: FollowingParts;
  readonly #query: QueryView;
  readonly #question = new Uint8Array(HEADER_LENGTH + MAX_NAME_LENGTH + 4 + OPT_LENGTH + ASK_ORIGIN.length);
  readonly #reply = new Reply();
  readonly #scan = new MessageScan();
  readonly #cname = new CnameAnswer();
  readonly #message = new Uint8Array(MAX_MESSAGE_LENGTH);
  readonly #answer = new Uint8Array(MAX_MESSAGE_LENGTH);
  readonly #turns = new Portions<Followed>(FOLLOWED_A_TURN, (followed) => this.#goOn(followed));

  constructor(parts: FollowingParts) {
    this.#parts = parts;
    this.#query = new QueryView(parts.seed);
  }

  /** Answers `flight` with a CNAME to `target`, an uncompressed name, and what that name gives for the type that is asked; in a turn to come, never before this returns. */
  follow(flight: Flight, target: Uint8Array): void {
    this.#turns.defer(new Followed(flight, target, this.#turns));
  }

  #goOn(followed: Followed): void {
    const { flight, target, message } = followed;
    if (message !== undefined) {
      this.#finish(flight, target, message, message.length);
    } else if (typeOf(flight) === TYPE_CNAME) {
      this.#give(flight, this.#begin(flight, target, RCODE_NOERROR, LOCAL_TTL_SECONDS), 'local');
    } else {
      this.#ask(followed);
    }
  }

  #ask(followed: Followed): void {
    const { flight, target } = followed;
    const { clock, names } = this.#parts;
    const reply = this.#reply;
    this.#query.read(this.#question, 0, writeQuestion(flight, target, this.#question));
    const outcome = names.answerName(this.#query, flight.isRefresh, clock.nowMs(), followed, reply);
    if (outcome === DROPPED) flight.onFailure('overload');
    if (outcome === ANSWERED) this.#finish(flight, target, this.#message, reply.copyTo(this.#message, 0));
  }

  /** The target's answer lies in [0, end) of `message`; without one, nothing does. */
  #finish(flight: Flight, target: Uint8Array, message: Uint8Array, end: number): void {
    const scan = this.#scan;
    if (!scan.scan(message, 0, end)) {
      flight.onFailure('overload');
      return;
    }
    const origin = originOf(message, scan);
    if (scan.rcode !== RCODE_NOERROR && scan.rcode !== RCODE_NXDOMAIN) {
      // What is too much for us now is no fact about the name.
      if (scan.rcode === RCODE_SERVFAIL && extendedErrorOf(message, scan) === EDE_OTHER) flight.onFailure('overload');
      else flight.onAnswer(message, 0, end, { label: origin });
      return;
    }
    // Once it is fresh again, so shall this be.
    if (origin === 'stale') this.#parts.flights.spoil(flight);
    const flags = scan.flags & ~(FLAG_AA | FLAG_AD);
    let length = this.#begin(flight, target, flags, Math.min(LOCAL_TTL_SECONDS, scan.minimumTtl));
    length = this.#cname.append(message, scan, length);
    if (length !== -1 && scan.hasOpt) length = this.#appendOpt(message, scan, length);
    if (length === -1) flight.onFailure('overload');
    else this.#give(flight, length, origin);
  }

  /** Header, question and CNAME. Nobody has signed the record, whatever else is. */
  #begin(flight: Flight, target: Uint8Array, flags: number, ttlSeconds: number): number {
    const length = this.#cname.begin(flight.message, flight.questionEnd, target, ttlSeconds, this.#answer);
    this.#answer[2] = 0x80 | (flags >> 8);
    this.#answer[3] = flags;
    return length;
  }

  /** Extended errors are the answer's, too. */
  #appendOpt(message: Uint8Array, { optOffset, optEnd }: MessageScan, at: number): number {
    const answer = this.#answer;
    if (at + optEnd - optOffset > MAX_MESSAGE_LENGTH) return at;
    const additionals = ((answer[10]! << 8) | answer[11]!) + 1;
    answer[10] = additionals >> 8;
    answer[11] = additionals;
    return copyBytes(message, optOffset, optEnd, answer, at);
  }

  #give(flight: Flight, length: number, origin: string): void {
    flight.onAnswer(this.#answer, 0, length, { label: origin });
  }
}

/** A flight and the name that it leads to; waits for that name's answer. */
class Followed extends OwnClient {
  readonly flight: Flight;
  readonly target: Uint8Array;
  /** The target's answer, when it has come; empty: there will be none. */
  message: Uint8Array | undefined = undefined;
  readonly #turns: Portions<Followed>;

  constructor(flight: Flight, target: Uint8Array, turns: Portions<Followed>) {
    super();
    this.flight = flight;
    this.target = target;
    this.#turns = turns;
  }

  send(reply: Reply): void {
    this.message = new Uint8Array(reply.length);
    reply.copyTo(this.message, 0);
    this.#turns.defer(this);
  }

  drop(): void {
    this.message = NOTHING;
    this.#turns.defer(this);
  }
}

function typeOf({ message, questionEnd }: Flight): number {
  return (message[questionEnd - 4]! << 8) | message[questionEnd - 3]!;
}

/** The flight's question about `target`, with its RD, CD and DO; returns where it ends. */
function writeQuestion({ message, questionEnd, dnssecBits }: Flight, target: Uint8Array, question: Uint8Array): number {
  question.fill(0, 0, HEADER_LENGTH);
  question[2] = message[2]!;
  question[3] = message[3]!;
  question[5] = 1;
  question[11] = 1;
  const nameEnd = copyBytes(target, 0, target.length, question, HEADER_LENGTH);
  const end = copyBytes(message, questionEnd - 4, questionEnd, question, nameEnd);
  const dnssecOk = (dnssecBits & DNSSEC_OK) !== 0;
  return writeOpt(question, end, UDP_PAYLOAD_BYTES, 0, dnssecOk, ASK_ORIGIN, 0, ASK_ORIGIN.length);
}

function originOf(message: Uint8Array, { optionsStart, optionsEnd }: MessageScan): string {
  const at = findOption(message, optionsStart, optionsEnd, OPTION_ORIGIN);
  if (at === -1) return 'local';
  return String.fromCharCode(...message.subarray(at + 4, at + 4 + ((message[at + 2]! << 8) | message[at + 3]!)));
}

/** -1: none. */
function extendedErrorOf(message: Uint8Array, { optionsStart, optionsEnd }: MessageScan): number {
  const at = findOption(message, optionsStart, optionsEnd, OPTION_EDE);
  return at === -1 ? -1 : (message[at + 4]! << 8) | message[at + 5]!;
}
