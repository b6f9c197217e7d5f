import { Timer } from '../../core/timer-wheel.ts';
import type { Traffic } from '../../metrics/traffic.ts';
import { openRelay, type Relay, type RelayOwner, type RelayTarget } from '../../upstream/relay.ts';
import { FLAG_QR, HEADER_LENGTH, RCODE_MASK } from '../../wire/constants.ts';
import type { Reply } from '../../wire/reply.ts';
import type { ReplySink, ReplyStream, StreamSource } from '../client.ts';
import type { Zone } from '../zone.ts';
import type { RelayKind } from './relay-kind.ts';
import type { TransferEnd } from './transfer-end.ts';

/** How a relayed message ended. The label `outcome`. */
export const RELAY_OUTCOMES = [
  'answered', // whatever the answer says
  'unreachable', // no server could be connected to: nothing was sent
  'timeout', // sent, and not answered in time
  'broken', // sent, and the server ended it without an answer or in the middle of one
  'client-gone', // the client left in the middle of a transfer
  'overload', // refused: too many at once
  'refused', // no server is responsible, or the message cannot be routed
] as const;

export type RelayOutcome = (typeof RELAY_OUTCOMES)[number];

/** A connection that is not open after so long is tried elsewhere. */
const CONNECT_MS = 2000;
/** RFC 2136 names no time. Servers that forward an update to their primary, or wait for a disk, are slow; clients wait for minutes over TCP. */
const STREAM_REPLY_MS = 30_000;
/** Clients ask again over UDP after 3 to 5 s. */
const DATAGRAM_REPLY_MS = 10_000;

/** A client's message, copied, and all that is known of it. */
export interface RelayRequest {
  readonly message: Uint8Array;
  readonly kind: RelayKind;
  readonly zone: Zone;
  /** Octets of the name in its question or zone section. */
  readonly nameLength: number;
  readonly isStream: boolean;
  readonly traffic: Traffic;
  /** Of the client's address; relays are counted by it. */
  readonly client: string;
  readonly receivedMs: number;
  /** Finds the last message of an answer of many; undefined: there is one. */
  readonly transferEnd: TransferEnd | undefined;
}

/** Who hears how it ends. */
export interface RelayingOwner {
  setTimer(timer: Timer, delayMs: number): void;
  clearTimer(timer: Timer): void;
  /** A message of the answer is about to go to the client. */
  onAnswer(relaying: Relaying, bytes: Uint8Array, start: number): void;
  /** Called once; where the outcome is not `answered`, the client has had no whole answer. */
  onEnd(relaying: Relaying, outcome: RelayOutcome, reason: string): void;
}

/**
 * One message relayed to the first of its zone's servers that can be reached, and the answer, or the stream of answers, on its way back.
 *
 *   connecting ──sent──▶ waiting ──answer──▶ done             for a transfer: waiting ──answer──▶ waiting ... ──last one──▶ done
 *       │ failed: the next server                │ time over, server gone: done, never sent again
 */
export class Relaying extends Timer implements RelayOwner, StreamSource {
  readonly request: RelayRequest;
  readonly #owner: RelayingOwner;
  readonly #targets: readonly RelayTarget[];
  readonly #reply: Reply;
  #next = 0;
  #relay: Relay | undefined;
  #sink: ReplySink | undefined;
  #stream: ReplyStream | undefined;
  #isDone = false;
  #isHeldUp = false;
  #reason = 'no server';
  /** It may have had its effect. */
  isSent = false;
  /** Octets that came back, in whole messages. */
  answerBytes = 0;
  /** Of the first answer. */
  rcode = 0;

  /** `reply`: filled and sent within one call, so one serves all. */
  constructor(request: RelayRequest, targets: readonly RelayTarget[], reply: Reply, owner: RelayingOwner) {
    super();
    this.request = request;
    this.#targets = targets;
    this.#reply = reply;
    this.#owner = owner;
  }

  /** Where the answer goes: a sink for one message, or a stream for a transfer. */
  begin(sink: ReplySink | undefined, stream: ReplyStream | undefined): void {
    // The client may have left since.
    if (this.#isDone) return;
    this.#sink = sink;
    this.#stream = stream;
    this.#tryNext();
  }

  /** The server that it went to last. */
  get target(): string {
    return this.#targets[this.#next - 1]?.label ?? '';
  }

  onSent(): void {
    this.isSent = true;
    this.#wait();
  }

  onMessage(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#isDone || !isAnswer(bytes, start, end, this.request.message)) return true;
    if (this.answerBytes === 0) this.rcode = rcodeOf(bytes, start);
    this.answerBytes += end - start;
    this.#owner.onAnswer(this, bytes, start);
    const { transferEnd } = this.request;
    if (transferEnd === undefined || this.#stream === undefined) {
      this.#give(bytes, start, end);
      this.#finish('answered', '');
      return true;
    }
    const hasRoom = this.#stream.write(bytes, start, end);
    if (transferEnd.isLast(bytes, start, end)) {
      this.#stream.end();
      this.#stream = undefined;
      this.#finish('answered', '');
      return true;
    }
    this.#isHeldUp = !hasRoom;
    if (hasRoom) this.#wait();
    else this.#owner.clearTimer(this);
    return hasRoom;
  }

  onClosed(reason: string, isUndelivered: boolean): void {
    if (this.#isDone) return;
    this.#reason = reason;
    this.isSent = !isUndelivered;
    if (isUndelivered) this.#tryNext();
    else this.#finish('broken', reason);
  }

  onDrain(): void {
    if (this.#isDone || !this.#isHeldUp) return;
    this.#isHeldUp = false;
    this.#wait();
    this.#relay?.resume();
  }

  onGone(): void {
    this.#stream = undefined;
    this.#finish('client-gone', '');
  }

  override onTimeout(): void {
    if (this.isSent) {
      this.#finish('timeout', 'timeout');
    } else {
      this.#reason = 'connect timed out';
      this.#tryNext();
    }
  }

  /** Ends it without an answer, at the end of all. */
  abort(): void {
    this.#finish('broken', 'shutdown');
  }

  /** A message of our own in place of the answer that did not come, or of the rest of it. */
  giveOwn(reply: Reply): void {
    if (this.#sink !== undefined) this.#sink.send(reply);
    else if (this.#stream !== undefined) {
      const bytes = new Uint8Array(reply.length);
      reply.copyTo(bytes, 0);
      this.#stream.write(bytes, 0, bytes.length);
      this.#stream.end();
    }
    this.#sink = undefined;
    this.#stream = undefined;
  }

  #tryNext(): void {
    this.#relay?.close();
    const target = this.#targets[this.#next++];
    if (target === undefined) {
      this.#next--;
      this.#finish('unreachable', this.#reason);
      return;
    }
    this.#owner.setTimer(this, CONNECT_MS);
    this.#relay = openRelay(target, this.request.message, this.request.isStream, this);
  }

  #wait(): void {
    this.#owner.setTimer(this, this.request.isStream ? STREAM_REPLY_MS : DATAGRAM_REPLY_MS);
  }

  #give(bytes: Uint8Array, start: number, end: number): void {
    const reply = this.#reply;
    reply.head = bytes;
    reply.headStart = start;
    reply.headEnd = end;
    reply.bodyStart = reply.bodyEnd = 0;
    reply.tailStart = reply.tailEnd = 0;
    this.#sink?.send(reply);
    this.#sink = undefined;
  }

  #finish(outcome: RelayOutcome, reason: string): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#owner.clearTimer(this);
    this.#relay?.close();
    this.#owner.onEnd(this, outcome, reason);
  }
}

/** Whether a message is an answer to the request: the ID, and QR. What else it says is for the client to judge. */
function isAnswer(bytes: Uint8Array, start: number, end: number, request: Uint8Array): boolean {
  if (end - start < HEADER_LENGTH || (bytes[start + 2]! & (FLAG_QR >> 8)) === 0) return false;
  return bytes[start] === request[0] && bytes[start + 1] === request[1];
}

/** The low four bits, which stand in the header. */
export function rcodeOf(bytes: Uint8Array, start: number): number {
  return bytes[start + 3]! & RCODE_MASK;
}
