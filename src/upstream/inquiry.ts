import { RCODE_MASK, RCODE_REFUSED, RCODE_SERVFAIL } from '../wire/constants.ts';
import type { Answerer, Ask, Failure } from './ask.ts';
import { Exchange } from './exchange.ts';
import type { Upstream } from './upstream.ts';

/** Tries of one question, whatever time is left: a server that refuses at once would be asked without end. */
const TRIES = 8;

/** With less time than this left, another try is of no use. */
const LEAST_MS = 10;

/** What an inquiry needs of its forwarder. */
export interface InquiryOwner {
  readonly tryMs: number;
  readonly totalMs: number;
  nowMs(): number;
  /** The upstream to ask next, or undefined. `lastTry`: the tries so far; `mayRepeat`: the same once more, where it is the only one. */
  chooseNext(lastTry: Try | undefined, mayRepeat: boolean): Upstream | undefined;
  /** It could not begin; the owner calls `fail`, in a later turn. */
  onRefused(inquiry: Inquiry, failure: Failure): void;
  /** The upstream to ask first; where all are down, one that may be tried nevertheless, or undefined. */
  chooseFirst(): Upstream | undefined;
  /** After which a second upstream is asked too; 0: never. */
  hedgeAfterMs(upstream: Upstream): number;
  /** Uses up one of the few hedges there may be; false where there is none. */
  takeHedge(): boolean;
  setTimer(timer: Try, delayMs: number): void;
  clearTimer(timer: Try): void;
}

/**
 * One question on its way through the upstreams of its zone, until one answers, all have said no, or the time is over. A try whose time
 * is over is not forgotten: its reply is as good as that of the next one.
 *
 *   ask ─▶ try ──answer──────────────────────────────▶ onAnswer
 *           │ ├─SERVFAIL, REFUSED (kept)─▶ next try ─▶ … the last one's, if all say so
 *           │ └─silent, unreachable──────▶ next try ─▶ … onFailure
 *           └─slow: a second try beside it (hedge), the first answer wins
 */
export class Inquiry {
  readonly #owner: InquiryOwner;
  readonly #ask: Ask;
  readonly #deadlineMs: number;
  #lastTry: Try | undefined;
  /** Tries that may still be answered in time. */
  #running = 0;
  #isDone = false;
  #answer: Uint8Array | undefined;
  #answeredBy: Answerer | undefined;

  constructor(owner: InquiryOwner, ask: Ask) {
    this.#owner = owner;
    this.#ask = ask;
    this.#deadlineMs = owner.nowMs() + owner.totalMs;
  }

  /** Asks the first upstream that takes the question; else its owner is told why none did. */
  depart(): void {
    const upstream = this.#owner.chooseFirst();
    if (upstream === undefined) this.#owner.onRefused(this, 'all-down');
    else if (!this.#try(upstream, this.#deadlineMs - this.#owner.nowMs()) && !this.#tryNext(false)) {
      this.#owner.onRefused(this, 'overload');
    }
  }

  /** The failure that its owner was told. */
  fail(failure: Failure): void {
    this.#finish();
    this.#ask.onFailure(failure);
  }

  onReply(answered: Try, message: Uint8Array, start: number, end: number, upstream: Answerer): void {
    if (this.#isDone) return;
    this.#end(answered);
    const rcode = message[start + 3]! & RCODE_MASK;
    if (rcode === RCODE_SERVFAIL || rcode === RCODE_REFUSED) {
      // A copy, for it outlives the call (`slice` of a Buffer would share what the next read overwrites).
      this.#answer = new Uint8Array(message.subarray(start, end));
      this.#answeredBy = upstream;
      if (this.#running === 0 && !this.#tryNext(false)) this.#giveUp('unreachable');
      return;
    }
    this.#finish();
    this.#ask.onAnswer(message, start, end, upstream);
  }

  onUnreachable(lost: Try): void {
    if (this.#isDone) return;
    this.#end(lost);
    if (this.#running === 0 && !this.#tryNext(true)) this.#giveUp('unreachable');
  }

  onTimeout(late: Try): void {
    if (this.#isDone) return;
    if (late.isBeforeHedge) {
      this.#hedge(late);
      return;
    }
    late.isLate = true;
    this.#running--;
    late.upstream.onSilent(late);
    if (this.#running === 0 && !this.#tryNext(true)) this.#giveUp('timeout');
  }

  #hedge(slow: Try): void {
    slow.isBeforeHedge = false;
    const nowMs = this.#owner.nowMs();
    this.#owner.setTimer(slow, Math.min(slow.sentMs + this.#owner.tryMs, this.#deadlineMs) - nowMs);
    const upstream = this.#owner.chooseNext(this.#lastTry, false);
    if (upstream !== undefined && this.#owner.takeHedge()) this.#try(upstream, this.#deadlineMs - nowMs);
  }

  #tryNext(mayRepeat: boolean): boolean {
    const leftMs = this.#deadlineMs - this.#owner.nowMs();
    if (leftMs < LEAST_MS || (this.#lastTry?.number ?? 0) >= TRIES) return false;
    const upstream = this.#owner.chooseNext(this.#lastTry, mayRepeat && this.#answer === undefined);
    return upstream !== undefined && this.#try(upstream, leftMs);
  }

  #try(upstream: Upstream, leftMs: number): boolean {
    const started = new Try(this, this.#ask, upstream, this.#lastTry);
    const same = findTry(this.#lastTry, upstream);
    if (same !== undefined) {
      upstream.retries++;
      // Over UDP a slow name holds up nobody. And the other way round, should UDP be what is silent.
      started.prefersUdp = same.isLate && !same.prefersUdp;
    }
    this.#lastTry = started;
    if (!upstream.ask(started)) {
      started.isDone = true;
      return false;
    }
    this.#running++;
    const hedgeMs = started.number === 1 ? this.#owner.hedgeAfterMs(upstream) : 0;
    started.isBeforeHedge = hedgeMs > 0;
    this.#owner.setTimer(started, started.isBeforeHedge ? hedgeMs : Math.min(this.#owner.tryMs, leftMs));
    return true;
  }

  #end(ended: Try): void {
    ended.isDone = true;
    this.#owner.clearTimer(ended);
    if (!ended.isLate) this.#running--;
  }

  #giveUp(failure: Failure): void {
    this.#finish();
    if (this.#answer === undefined) this.#ask.onFailure(failure);
    else this.#ask.onAnswer(this.#answer, 0, this.#answer.length, this.#answeredBy!);
  }

  #finish(): void {
    this.#isDone = true;
    for (let ended = this.#lastTry; ended !== undefined; ended = ended.earlier) {
      ended.finish();
      this.#owner.clearTimer(ended);
    }
  }
}

/** The last of the tries with this upstream. */
export function findTry(last: Try | undefined, upstream: Upstream): Try | undefined {
  let made = last;
  while (made !== undefined && made.upstream !== upstream) made = made.earlier;
  return made;
}

/** One upstream asked once. */
export class Try extends Exchange {
  readonly #inquiry: Inquiry;
  readonly upstream: Upstream;
  readonly earlier: Try | undefined;
  /** From 1. */
  readonly number: number;
  /** Its timer is the one after which a second upstream is asked too. */
  isBeforeHedge = false;

  constructor(inquiry: Inquiry, ask: Ask, upstream: Upstream, earlier: Try | undefined) {
    super(ask.message, ask.questionEnd, ask.end);
    this.#inquiry = inquiry;
    this.upstream = upstream;
    this.earlier = earlier;
    this.number = earlier === undefined ? 1 : earlier.number + 1;
  }

  override onReply(message: Uint8Array, start: number, end: number, upstream: Answerer): void {
    this.#inquiry.onReply(this, message, start, end, upstream);
  }

  override onUnreachable(): void {
    this.#inquiry.onUnreachable(this);
  }

  override onTimeout(): void {
    this.#inquiry.onTimeout(this);
  }
}
