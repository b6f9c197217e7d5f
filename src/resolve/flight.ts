import { dnssecBits } from '../cache/key.ts';
import { Timer } from '../core/timer-wheel.ts';
import type { Answerer, Ask, Failure } from '../upstream/ask.ts';
import { FLAG_AD, FLAG_CD, FLAG_RD, HEADER_LENGTH, MAX_NAME_LENGTH } from '../wire/constants.ts';
import { copyBytes } from '../wire/copy.ts';
import { writeOpt } from '../wire/edns.ts';
import type { QueryView } from '../wire/query.ts';
import { UDP_PAYLOAD_BYTES } from './composer.ts';
import type { Waiter } from './waiter.ts';
import type { Zone } from './zone.ts';

const NO_OPTIONS = new Uint8Array(0);
const OPT_LENGTH = 11;

/** Who hears how a flight ends: the resolver. */
export interface FlightControl {
  onAnswer(flight: Flight, message: Uint8Array, start: number, end: number, upstream: Answerer): void;
  onFailure(flight: Flight, failure: Failure): void;
  /** Clients have waited long enough for a fresh answer. */
  onPatienceOver(flight: Flight, nowMs: number): void;
}

/**
 * One question that is being asked upstream, and all who wait for it. Its timer is the clients' patience, where something stale is at hand. Flights are
 * used again when they have ended: `begin` sets what one is about.
 */
export class Flight extends Timer implements Ask {
  readonly message = new Uint8Array(HEADER_LENGTH + MAX_NAME_LENGTH + 4 + OPT_LENGTH);
  questionEnd = 0;
  end = 0;
  zone!: Zone;
  /** Of the cache, and of the table of flights where `isListed`. */
  key = 0;
  /** DO and CD, as in the key. */
  dnssecBits = 0;
  /** Others may join it, and its answer is kept. RD=0 shares nothing. */
  isShared = false;
  /** Begun for the cache's sake, not for a client's. */
  isRefresh = false;
  /** It stands in the table of flights. */
  isListed = false;
  firstWaiter: Waiter | undefined = undefined;
  lastWaiter: Waiter | undefined = undefined;
  isPatienceOver = false;
  readonly #control: FlightControl;

  constructor(control: FlightControl) {
    super();
    this.#control = control;
  }

  begin(query: QueryView, zone: Zone, key: number, isRefresh: boolean): void {
    this.zone = zone;
    this.key = key;
    this.dnssecBits = dnssecBits(query.dnssecOk, query.flags);
    this.isShared = isRefresh || (query.flags & FLAG_RD) !== 0;
    this.isRefresh = isRefresh;
    this.isListed = false;
    this.isPatienceOver = false;
    this.questionEnd = query.questionEnd - query.start;
    this.end = writeUpstreamQuery(query, this.message);
  }

  onAnswer(message: Uint8Array, start: number, end: number, upstream: Answerer): void {
    this.#control.onAnswer(this, message, start, end, upstream);
  }

  onFailure(failure: Failure): void {
    this.#control.onFailure(this, failure);
  }

  override onTimeout(nowMs: number): void {
    this.isPatienceOver = true;
    this.#control.onPatienceOver(this, nowMs);
  }
}

/**
 * What we ask in a client's name: its question as it spelt it, its RD, CD and DO, and an OPT of our own. AD is always set, so that the answer's
 * AD may be trusted to mean something (RFC 6840, section 5.7). The client's own options, ECS and cookies among them, stay here.
 */
function writeUpstreamQuery(query: QueryView, message: Uint8Array): number {
  const flags = (query.flags & (FLAG_RD | FLAG_CD)) | FLAG_AD;
  message[2] = flags >> 8;
  message[3] = flags;
  message[5] = 1;
  message[11] = 1;
  const questionEnd = copyBytes(query.bytes, query.start + HEADER_LENGTH, query.questionEnd, message, HEADER_LENGTH);
  return writeOpt(message, questionEnd, UDP_PAYLOAD_BYTES, 0, query.dnssecOk, NO_OPTIONS, 0, 0);
}
