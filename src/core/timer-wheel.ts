import type { Clock } from './clock.ts';

/**
 * What a wheel fires. Sub-classes say what happens; the links belong to the wheel, so that neither setting nor clearing a timer allocates.
 */
export abstract class Timer {
  previous: Timer | undefined = undefined;
  next: Timer | undefined = undefined;
  dueTick = 0;

  /** Called once, from the event loop, not before the delay is over. */
  abstract onTimeout(nowMs: number): void;

  get isSet(): boolean {
    return this.next !== undefined;
  }
}

/** One that calls back, for what is no object of its own. */
export class Alarm extends Timer {
  readonly #ring: (nowMs: number) => void;

  constructor(ring: (nowMs: number) => void) {
    super();
    this.#ring = ring;
  }

  override onTimeout(nowMs: number): void {
    this.#ring(nowMs);
  }
}

class Slot extends Timer {
  constructor() {
    super();
    this.clear();
  }

  clear(): void {
    this.previous = this;
    this.next = this;
  }

  get isEmpty(): boolean {
    return this.next === this;
  }

  override onTimeout(): void {}
}

/** 1,024 slots x 5 ms: one turn is 5.1 s, the longest common time limit; longer ones go round again. */
const SLOTS = 1024;
/** A timer that is later than this beyond its tick tells of a loop that stood still. */
const LATE_MS = 50;
const NOT_ARMED = Number.POSITIVE_INFINITY;

export interface TimerWheelOptions {
  clock: Clock;
  /** What one slot stands for, default 5 ms. Long time limits (idle connections) deserve a wheel of coarse ticks: it wakes the process less. */
  tickMs?: number;
  /** Sets the wheel's one one-shot timer, which keeps no process alive, or moves it. Tests with a fake clock call `advance` instead. */
  arm?: (callback: () => void, delayMs: number) => void;
}

/**
 * Many short timers on one of Node's: set and cleared for every query in flight, rarely fired. Node's is set for the first slot that holds any, and stays
 * where it is when that one is cleared: a steady flow of queries that are answered wakes the process about once a time limit.
 * A timer fires up to two ticks late and never early.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #arm: (callback: () => void, delayMs: number) => void;
  readonly #tickMs: number;
  readonly #due = new Slot();
  readonly #slots: Slot[] = Array.from({ length: SLOTS }, () => new Slot());
  readonly #onTick = (): void => {
    // When the process itself was held up, what came meanwhile lies unread in the kernel: it is read first, so that nothing is given up that is there.
    if (this.#clock.nowMs() > this.#armedTick * this.#tickMs + LATE_MS) setImmediate(this.#onDue);
    else this.#onDue();
  };
  readonly #onDue = (): void => {
    this.#armedTick = NOT_ARMED;
    this.advance();
  };
  #tick: number;
  #armedTick = NOT_ARMED;
  #count = 0;

  constructor({ clock, tickMs = 5, arm = unreferencedTimer() }: TimerWheelOptions) {
    this.#clock = clock;
    this.#arm = arm;
    this.#tickMs = tickMs;
    this.#tick = Math.floor(clock.nowMs() / this.#tickMs);
  }

  /** Timers that are set. */
  get size(): number {
    return this.#count;
  }

  /** Fires `timer` once, `delayMs` from now. A timer that is set already is moved. */
  set(timer: Timer, delayMs: number): void {
    if (timer.isSet) this.clear(timer);
    const nowMs = this.#clock.nowMs();
    const nowTick = Math.floor(nowMs / this.#tickMs);
    if (this.#count === 0) this.#tick = nowTick;
    timer.dueTick = Math.max(nowTick + 1 + Math.ceil(delayMs / this.#tickMs), this.#tick + 1);
    append(this.#slots[timer.dueTick % SLOTS]!, timer);
    this.#count++;
    if (timer.dueTick < this.#armedTick) this.#armFor(timer.dueTick, nowMs);
  }

  /** Does nothing where the timer is not set. */
  clear(timer: Timer): void {
    if (!timer.isSet) return;
    unlink(timer);
    this.#count--;
  }

  /** Fires all that is due. The armed timer calls it; tests with a fake clock do so themselves. */
  advance(): void {
    const nowMs = this.#clock.nowMs();
    const nowTick = Math.floor(nowMs / this.#tickMs);
    // After a long pause one turn of the wheel passes every slot.
    if (nowTick - this.#tick > SLOTS) this.#tick = nowTick - SLOTS;
    while (this.#tick < nowTick && this.#count > 0) {
      this.#tick++;
      this.#fire(this.#slots[this.#tick % SLOTS]!, nowTick, nowMs);
    }
    if (this.#count > 0) this.#armFor(Math.min(this.#firstTick(), this.#armedTick), nowMs);
  }

  /** Due timers are moved aside first: a callback may set and clear any other timer, those that are due with it included. */
  #fire(head: Slot, nowTick: number, nowMs: number): void {
    for (let timer = head.next!; timer !== head; ) {
      const next = timer.next!;
      if (timer.dueTick <= nowTick) {
        unlink(timer);
        append(this.#due, timer);
      }
      timer = next;
    }
    for (let timer = this.#due.next!; timer !== this.#due; timer = this.#due.next!) {
      this.clear(timer);
      timer.onTimeout(nowMs);
    }
  }

  /** The next tick whose slot is not empty. */
  #firstTick(): number {
    let tick = this.#tick + 1;
    while (this.#slots[tick % SLOTS]!.isEmpty) tick++;
    return tick;
  }

  #armFor(tick: number, nowMs: number): void {
    if (tick === this.#armedTick) return;
    this.#armedTick = tick;
    // Node counts whole milliseconds, and may be one early.
    this.#arm(this.#onTick, Math.max(0, Math.ceil(tick * this.#tickMs - nowMs)) + 1);
  }
}

function unreferencedTimer(): (callback: () => void, delayMs: number) => void {
  let timeout: NodeJS.Timeout | undefined;
  return (callback, delayMs) => {
    clearTimeout(timeout);
    timeout = setTimeout(callback, delayMs).unref();
  };
}

function append(head: Slot, timer: Timer): void {
  const last = head.previous!;
  last.next = timer;
  timer.previous = last;
  timer.next = head;
  head.previous = timer;
}

function unlink(timer: Timer): void {
  timer.previous!.next = timer.next;
  timer.next!.previous = timer.previous;
  timer.previous = undefined;
  timer.next = undefined;
}
