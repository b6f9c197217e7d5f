import { Timer } from '../core/timer-wheel.ts';
import { TYPE_OPT } from '../wire/constants.ts';
import type { Answerer } from './ask.ts';

/** An OPT record without options: root, type, class, TTL, length. */
const OPT_LENGTH = 11;

/**
 * One question on its way to one upstream. Transports place it: on a connection, perhaps on a second one when the first is stalled, on a
 * UDP socket. Its first reply wins. Nothing is ever taken back from a transport: a place whose exchange is done stays reserved, so that a
 * late reply cannot be taken for another's, and is given free when that reply comes or can no longer come.
 */
export abstract class Exchange extends Timer {
  /** The query lies in [0, end). */
  message: Uint8Array;
  readonly questionEnd: number;
  readonly end: number;
  /** Answered or given up: replies are no longer wanted. */
  isDone = false;
  /** Its time is over; a reply is still welcome, but it is asked no more. */
  isLate = false;
  /** Asked without OPT, for the upstream is too old for it (RFC 6891, section 6.2.2). */
  isPlain = false;
  /** Goes over UDP even where the upstream is asked over TCP: a connection was silent. */
  prefersUdp = false;
  /** UDP told that the answer is longer: it is being asked over TCP. */
  isTruncated = false;
  /** Where it waits for a reply just now. */
  places = 0;
  /** How often it was asked elsewhere because its connection was stalled, and because its connection was closed. */
  reasks = 0;
  closures = 0;
  sentMs = 0;

  constructor(message: Uint8Array, questionEnd: number, end: number) {
    super();
    this.message = message;
    this.questionEnd = questionEnd;
    this.end = end;
  }

  /** Bytes of the message as it goes out. */
  get length(): number {
    return this.isPlain ? this.questionEnd : this.end;
  }

  /** Whether the query as it goes out ends in an OPT record without options: one may be added behind it. */
  get endsInEmptyOpt(): boolean {
    const { message, questionEnd, end } = this;
    if (this.isPlain || end !== questionEnd + OPT_LENGTH) return false;
    const type = (message[questionEnd + 1]! << 8) | message[questionEnd + 2]!;
    const dataLength = (message[end - 2]! << 8) | message[end - 1]!;
    return message[questionEnd] === 0 && type === TYPE_OPT && dataLength === 0;
  }

  /** Whether it may be asked again at another place. */
  get isOpen(): boolean {
    return !this.isDone && !this.isLate;
  }

  /** Writes the message with `id` to `target`, where there must be room for `length` bytes; returns the offset after it. */
  copyTo(target: Uint8Array, at: number, id: number): number {
    const { message, length } = this;
    target[at] = id >> 8;
    target[at + 1] = id & 0xff;
    for (let i = 2; i < length; i++) target[at + i] = message[i]!;
    if (this.isPlain) {
      target[at + 10] = 0;
      target[at + 11] = 0;
    }
    return at + length;
  }

  /** Replies are no longer wanted. The message is its owner's again, so that what waits for a late reply gets a copy to tell it by. */
  finish(): void {
    this.isDone = true;
    if (this.places > 0) this.message = new Uint8Array(this.message.subarray(0, this.end));
  }

  /** A reply that matches; valid during the call only. */
  abstract onReply(message: Uint8Array, start: number, end: number, upstream: Answerer): void;

  /** No place is left where a reply could come from. */
  abstract onUnreachable(): void;
}
