import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ageMs, imageTimeNow } from '../../../src/cache/image-time.ts';
import { a, ImageHouse, scratch } from './image-house.ts';

const HOUR = 3_600_000;
const made = { bootId: 'one', bootMs: 50 * HOUR, wallMs: 1000 * HOUR };

test('within a boot the age is what passed since, wherever the wall clock stands', () => {
  for (const wallMs of [0, 1000 * HOUR, 9000 * HOUR]) {
    const age = ageMs(made, { bootId: 'one', bootMs: 51 * HOUR, wallMs });
    assert.ok(age >= HOUR && age <= HOUR + 10);
  }
});

test('after another boot the wall clock says it, and one that leapt ahead only shortens lives', () => {
  assert.equal(ageMs(made, { bootId: 'two', bootMs: 1, wallMs: 1002 * HOUR }), 2 * HOUR);
  assert.equal(ageMs(made, { bootId: 'two', bootMs: 1, wallMs: 9000 * HOUR }), 8000 * HOUR);
});

test('a wall clock that is behind what must have passed since is not believed', () => {
  assert.throws(() => ageMs(made, { bootId: 'two', bootMs: 2 * HOUR, wallMs: 1001 * HOUR }), { code: 'ERR_IMAGE_AGE' });
  assert.throws(() => ageMs(made, { bootId: 'two', bootMs: 1, wallMs: 999 * HOUR }), { code: 'ERR_IMAGE_AGE' });
  assert.throws(() => ageMs(made, { bootId: 'one', bootMs: 49 * HOUR, wallMs: 1001 * HOUR }), {
    code: 'ERR_IMAGE_AGE',
  });
});

test('where boots cannot be told apart none is the same', () => {
  const unnamed = { ...made, bootId: '' };
  assert.equal(ageMs(unnamed, { ...unnamed, bootMs: HOUR, wallMs: 1003 * HOUR }), 3 * HOUR);
});

test('the machine names its boot, and its time goes on', async () => {
  const first = imageTimeNow();
  assert.match(first.bootId, /^[0-9a-f-]{36}$/);
  const second = imageTimeNow();
  assert.equal(second.bootId, first.bootId);
  assert.ok(second.bootMs >= first.bootMs);
  assert.ok(ageMs(first, second) >= 10, 'never too young');
});

test('after a reboot, and with the clock set back a little, nothing lives longer than it would have', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = new ImageHouse();
  before.learn('web.example.com', a('web.example.com', '10.0.0.1', 600));
  before.time = made;
  await before.save(path);
  const rebooted = new ImageHouse();
  rebooted.time = { bootId: 'two', bootMs: 60_000, wallMs: made.wallMs + 300_000 };
  await rebooted.load(path);
  assert.equal(rebooted.cached('web.example.com'), '0a000001 300');
  const late = new ImageHouse();
  late.time = { bootId: 'two', bootMs: 60_000, wallMs: made.wallMs + 2 * HOUR };
  assert.deepEqual([(await late.load(path)).over, late.cached('web.example.com')], [1, '']);
  const stale = new ImageHouse();
  stale.time = { bootId: 'two', bootMs: 60_000, wallMs: made.wallMs + 700_000 };
  await stale.load(path);
  assert.equal(stale.cached('web.example.com'), '0a000001 30', 'over, but a bridge');
  const setBack = new ImageHouse();
  setBack.time = { bootId: 'two', bootMs: 60_000, wallMs: made.wallMs + 59_000 };
  await assert.rejects(setBack.load(path), { code: 'ERR_IMAGE_AGE' });
  assert.equal(setBack.cached('web.example.com'), '');
});
