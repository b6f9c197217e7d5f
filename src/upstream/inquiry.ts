import type { Answerer, Ask, Failure } from './ask.ts';
import { Exchange } from './exchange.ts';
import { isRefusal } from './refusal.ts';
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
  /** One to ask beside the first, to learn whether it is better than it was; mostly undefined. */
  chooseExtra(lastTry: Try | undefined): Upstream | undefined;
  /** After which a second upstream is asked too; 0: never. */
  hedgeAfterMs(upstream: Upstream): number;
  /** The second upstream, for `slow` is late; undefined where there is none, or where there were too many of late. */
  chooseHedge(lastTry: Try | undefined, slow: Upstream): Upstream | undefined;
  setTimer(timer: Try, delayMs: number): void;
  clearTimer(timer: Try): void;
}

/**
 * One question on its way through the upstreams of its zone, until one answers, all have said no, or the time is over. A try whose time
 * is over is not forgotten: its reply is as good as that of the next one.
 *
 *   ask ─▶ try ──answer────────────────────────────▶ onAnswer
 *           │ ├─refusal (`isRefusal`, kept)─▶ next try ─▶ … the last one's, if all say so
 *           │ └─silent, unreachable─────────▶ next try ─▶ … onFailure
 *           └─slow: a second try beside it (hedge), the first answer wins
 *
 * A try that another one overtook is a witness until its own time is over: its reply tells how slow its upstream is, its silence counts as such.
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
    if (upstream === undefined) {
      this.#owner.onRefused(this, 'all-down');
      return;
    }
    const leftMs = this.#deadlineMs - this.#owner.nowMs();
    if (!this.#try(upstream, leftMs) && !this.#tryNext(false)) {
      this.#owner.onRefused(this, 'overload');
      return;
    }
    const extra = this.#owner.chooseExtra(this.#lastTry);
    if (extra !== undefined) this.#try(extra, leftMs);
  }

  /** The failure that its owner was told. */
  fail(failure: Failure): void {
    this.#finish();
    this.#ask.onFailure(failure);
  }

  onReply(answered: Try, message: Uint8Array, start: number, end: number, upstream: Answerer): void {
    if (this.#isDone) return;
    this.#end(answered);
    if (isRefusal(message, start, end)) {
      answered.hasRefused = true;
      // A copy, for it outlives the call (`slice` of a Buffer would share what the next read overwrites).
      this.#answer = new Uint8Array(message.subarray(start, end));
      this.#answeredBy = upstream;
      if (this.#running === 0 && !this.#tryNext(false)) this.#giveUp('unreachable');
      return;
    }
    answered.upstream.refuted = 0;
    if (this.#answer !== undefined) this.#refute();
    this.#finish();
    this.#ask.onAnswer(message, start, end, upstream);
  }

  /** There is an answer, so those that refused were wrong to. */
  #refute(): void {
    for (let made = this.#lastTry; made !== undefined; made = made.earlier) {
      if (made.hasRefused) made.upstream.refuted++;
    }
  }

  onUnreachable(lost: Try): void {
    if (this.#isDone) return;
    this.#end(lost);
    if (this.#running === 0 && !this.#tryNext(true)) this.#giveUp('unreachable');
  }

  onTimeout(late: Try): void {
    if (this.#isDone) {
      late.upstream.onSilent(late);
      return;
    }
    if (late.hedgeMs > 0) {
      this.#hedge(late);
      return;
    }
    late.isLate = true;
    this.#running--;
    late.upstream.waiting--;
    late.upstream.onSilent(late);
    if (this.#running === 0 && !this.#tryNext(true)) this.#giveUp('timeout');
  }

  /** Where no second one may be asked now, it is looked at again after twice as long: `slow` may have stopped answering, which is seen only then. */
  #hedge(slow: Try): void {
    const nowMs = this.#owner.nowMs();
    const endMs = Math.min(slow.sentMs + this.#owner.tryMs, this.#deadlineMs);
    const upstream = this.#owner.chooseHedge(this.#lastTry, slow.upstream);
    slow.hedgeMs = upstream === undefined && slow.sentMs + slow.hedgeMs * 2 < endMs ? slow.hedgeMs * 2 : 0;
    this.#owner.setTimer(slow, (slow.hedgeMs > 0 ? slow.sentMs + slow.hedgeMs : endMs) - nowMs);
    if (upstream !== undefined) this.#try(upstream, this.#deadlineMs - nowMs);
  }

  #tryNext(mayRepeat: boolean): boolean {
    let isRepeat = mayRepeat;
    for (;;) {
      const leftMs = this.#deadlineMs - this.#owner.nowMs();
      if (leftMs < LEAST_MS || (this.#lastTry?.number ?? 0) >= TRIES) return false;
      const upstream = this.#owner.chooseNext(this.#lastTry, isRepeat && this.#answer === undefined);
      if (upstream === undefined) return false;
      if (this.#try(upstream, leftMs)) return true;
      // It is full, and so it would be again.
      isRepeat = false;
    }
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
    if (upstream.isFull() || !upstream.ask(started)) {
      started.isDone = true;
      return false;
    }
    this.#running++;
    upstream.waiting++;
    if (started.number === 1) started.hedgeMs = this.#owner.hedgeAfterMs(upstream);
    this.#owner.setTimer(started, started.hedgeMs > 0 ? started.hedgeMs : Math.min(this.#owner.tryMs, leftMs));
    return true;
  }

  #end(ended: Try): void {
    ended.isDone = true;
    this.#owner.clearTimer(ended);
    if (ended.isLate) return;
    this.#running--;
    ended.upstream.waiting--;
  }

  #giveUp(failure: Failure): void {
    this.#finish();
    if (this.#answer === undefined) this.#ask.onFailure(failure);
    else this.#ask.onAnswer(this.#answer, 0, this.#answer.length, this.#answeredBy!);
  }

  #finish(): void {
    this.#isDone = true;
    for (let made = this.#lastTry; made !== undefined; made = made.earlier) {
      const isOvertaken = made.isOpen;
      made.finish();
      if (isOvertaken) this.#leaveAsWitness(made);
      else this.#owner.clearTimer(made);
    }
  }

  #leaveAsWitness(overtaken: Try): void {
    overtaken.upstream.waiting--;
    this.#owner.setTimer(overtaken, Math.max(overtaken.sentMs + this.#owner.tryMs - this.#owner.nowMs(), 0));
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
  /** Its timer is the one after which a second upstream is asked too, so long after it was sent; 0: the end of its time. */
  hedgeMs = 0;
  hasRefused = false;

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
