import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Register } from '../../../src/metrics/register.ts';

test('values are read at each scrape, not before', async () => {
  const register = new Register();
  let count = 1;
  register.counter('things_total', 'Things.', ['kind'], (emit) => emit({ kind: 'a' }, count));
  count = 5;
  assert.match(
    await register.text(),
    /^# HELP things_total Things\.\n# TYPE things_total counter\nthings_total\{kind="a"\} 5$/m,
  );
  count = 6;
  assert.match(await register.text(), /^things_total\{kind="a"\} 6$/m);
});

test('a histogram is cumulative and ends in infinity, sum and count', async () => {
  const register = new Register();
  register.histogram('took_seconds', 'Time.', [], [0.1, 1], (emit) => emit({}, [1, 2, 3], 4.5));
  const lines = (await register.text()).split('\n').filter((line) => line.startsWith('took_'));
  assert.deepEqual(lines, [
    'took_seconds_bucket{le="0.1"} 1',
    'took_seconds_bucket{le="1"} 3',
    'took_seconds_bucket{le="+Inf"} 6',
    'took_seconds_sum 4.5',
    'took_seconds_count 6',
  ]);
});

test('label values are escaped', async () => {
  const register = new Register();
  register.gauge('odd', 'Odd.', ['name'], (emit) => emit({ name: 'a"b\\c\nd' }, 1));
  assert.match(await register.text(), /^odd\{name="a\\"b\\\\c\\nd"\} 1$/m);
});

test('a name can be registered once, for two metrics of a name make the page invalid', () => {
  const register = new Register();
  register.gauge('one', 'One.', [], (emit) => emit({}, 1));
  assert.throws(() => register.counter('one', 'Again.', [], (emit) => emit({}, 1)));
});

test('a series with other labels than were registered is refused', async () => {
  const register = new Register();
  register.gauge('one', 'One.', ['a'], (emit) => emit({ b: 'x' }, 1));
  await assert.rejects(register.text(), { code: 'ERR_METRIC_LABELS' });
});
