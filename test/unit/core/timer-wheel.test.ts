import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicClock } from '../../../src/core/clock.ts';
import { Timer, TimerWheel } from '../../../src/core/timer-wheel.ts';
import { FakeClock } from '../../fake-clock.ts';

class Noted extends Timer {
  readonly #onFire: (nowMs: number) => void;

  constructor(onFire: (nowMs: number) => void) {
    super();
    this.#onFire = onFire;
  }

  override onTimeout(nowMs: number): void {
    this.#onFire(nowMs);
  }
}

function fakeWheel(tickMs = 5): { clock: FakeClock; wheel: TimerWheel } {
  const clock = new FakeClock();
  return { clock, wheel: new TimerWheel({ clock, tickMs, arm: () => {} }) };
}

test('a timer fires once, never early, and at most two ticks late', () => {
  for (const delayMs of [0, 1, 4.9, 5, 7, 100, 5115, 5120, 5121, 20_000]) {
    const { clock, wheel } = fakeWheel();
    const startMs = clock.nowMs();
    const fired: number[] = [];
    wheel.set(new Noted((nowMs) => fired.push(nowMs - startMs)), delayMs);
    for (let ms = 0; ms < delayMs + 20; ms++) {
      clock.advance(1);
      wheel.advance();
    }
    assert.equal(fired.length, 1, `${delayMs} ms`);
    assert.ok(fired[0]! >= delayMs && fired[0]! <= delayMs + 10, `${delayMs} ms fired after ${fired[0]} ms`);
    assert.equal(wheel.size, 0);
  }
});

test('a timer that was cleared does not fire, and may be set again', () => {
  const { clock, wheel } = fakeWheel();
  let fired = 0;
  const timer = new Noted(() => fired++);
  wheel.set(timer, 20);
  assert.equal(timer.isSet, true);
  wheel.clear(timer);
  wheel.clear(timer);
  assert.equal(timer.isSet, false);
  assert.equal(wheel.size, 0);
  clock.advance(100);
  wheel.advance();
  assert.equal(fired, 0);
  wheel.set(timer, 20);
  clock.advance(30);
  wheel.advance();
  assert.equal(fired, 1);
});

test('setting a timer that is set moves it', () => {
  const { clock, wheel } = fakeWheel();
  let fired = 0;
  const timer = new Noted(() => fired++);
  wheel.set(timer, 20);
  wheel.set(timer, 200);
  assert.equal(wheel.size, 1);
  clock.advance(100);
  wheel.advance();
  assert.equal(fired, 0);
  clock.advance(110);
  wheel.advance();
  assert.equal(fired, 1);
});

test('a timer may set itself, and set and clear others that are due with it', () => {
  const { clock, wheel } = fakeWheel();
  const fired: string[] = [];
  const again: Noted = new Noted(() => {
    fired.push('again');
    if (fired.length < 3) wheel.set(again, 5);
    wheel.clear(never);
    wheel.set(other, 50);
  });
  const never = new Noted(() => fired.push('never'));
  const other = new Noted(() => fired.push('other'));
  for (const timer of [again, never, other]) wheel.set(timer, 5);
  for (let ms = 0; ms < 40; ms++) {
    clock.advance(1);
    wheel.advance();
  }
  assert.deepEqual(fired, ['again', 'again', 'again']);
  clock.advance(60);
  wheel.advance();
  assert.deepEqual(fired.at(-1), 'other');
  assert.equal(wheel.size, 0);
});

test('all that became due during a long pause fires after it', () => {
  const { clock, wheel } = fakeWheel();
  let fired = 0;
  for (let delayMs = 1; delayMs <= 30_000; delayMs += 7) wheel.set(new Noted(() => fired++), delayMs);
  const count = wheel.size;
  clock.advance(60_000);
  wheel.advance();
  assert.equal(fired, count);
  assert.equal(wheel.size, 0);
});

test('ten thousand random timers fire in their time, whatever is set and cleared meanwhile', () => {
  const { clock, wheel } = fakeWheel();
  let random = 7;
  const next = (below: number): number => {
    random = (Math.imul(random, 48_271) >>> 0) % 2_147_483_647;
    return random % below;
  };
  let lateOrEarly = 0;
  let set = 0;
  let fired = 0;
  let cleared = 0;
  const open: { timer: Noted; dueMs: number }[] = [];
  for (let round = 0; round < 10_000; round++) {
    const delayMs = next(12_000);
    const dueMs = clock.nowMs() + delayMs;
    const timer = new Noted((nowMs) => {
      fired++;
      if (nowMs < dueMs || nowMs > dueMs + 10 + 3) lateOrEarly++;
    });
    wheel.set(timer, delayMs);
    set++;
    open.push({ timer, dueMs });
    if (next(3) === 0) {
      const { timer: victim } = open[next(open.length)]!;
      if (victim.isSet) cleared++;
      wheel.clear(victim);
    }
    clock.advance(next(4));
    wheel.advance();
  }
  for (let ms = 0; ms < 13_000; ms += 3) {
    clock.advance(3);
    wheel.advance();
  }
  assert.equal(lateOrEarly, 0);
  assert.equal(fired + cleared, set);
  assert.equal(wheel.size, 0);
});

test('a wheel of coarse ticks keeps the same promise', () => {
  const { clock, wheel } = fakeWheel(250);
  const startMs = clock.nowMs();
  let firedMs = 0;
  wheel.set(new Noted((nowMs) => (firedMs = nowMs - startMs)), 1000);
  for (let ms = 0; ms < 2000 && firedMs === 0; ms += 10) {
    clock.advance(10);
    wheel.advance();
  }
  assert.ok(firedMs >= 1000 && firedMs <= 1500, `${firedMs} ms`);
});

test('after a pause of the process, what was waiting is read before anything is given up', async () => {
  const clock = new FakeClock();
  let onTick = (): void => assert.fail('the wheel has armed nothing');
  const wheel = new TimerWheel({
    clock,
    arm: (callback) => {
      onTick = callback;
    },
  });
  let fired = 0;
  wheel.set(new Noted(() => fired++), 20);
  clock.advance(1000);
  onTick();
  assert.equal(fired, 0, 'not in the turn of the late timer');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(fired, 1, 'but after the sockets had theirs');
});

test('the process is woken for what is due, not for every tick, and no more for what is cleared and set again', () => {
  const clock = new FakeClock();
  const armed: number[] = [];
  const wheel = new TimerWheel({ clock, arm: (_callback, delayMs) => armed.push(Math.round(delayMs)) });
  const timers = Array.from({ length: 100 }, () => new Noted(() => {}));
  for (const timer of timers) {
    wheel.set(timer, 1000);
    clock.advance(1);
    wheel.clear(timer);
  }
  assert.equal(armed.length, 1);
  assert.ok(armed[0]! > 1000 && armed[0]! <= 1011, `${armed[0]} ms`);
  wheel.set(timers[0]!, 20);
  assert.equal(armed.length, 2);
  assert.ok(armed[1]! > 20 && armed[1]! <= 31, `${armed[1]} ms`);
});

test('the armed timer of Node drives the wheel', async () => {
  const wheel = new TimerWheel({ clock: monotonicClock });
  // The wheel's own timer keeps no process alive.
  const alive = setTimeout(() => {}, 10_000);
  const startMs = performance.now();
  await new Promise<void>((resolve) => wheel.set(new Noted(() => resolve()), 30));
  clearTimeout(alive);
  assert.ok(performance.now() - startMs >= 30);
});
