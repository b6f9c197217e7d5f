import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IN_FLIGHT, LIMITS } from '../../../src/core/limits.ts';
import { DELAY_BOUNDS_SECONDS, EventLoopDelay } from '../../../src/metrics/event-loop-delay.ts';
import { registerLimitMetrics } from '../../../src/metrics/limit-metrics.ts';
import { registerProcessMetrics } from '../../../src/metrics/process-metrics.ts';
import { Register } from '../../../src/metrics/register.ts';

function value(page: string, series: string): number {
  const line = page.split('\n').find((each) => each.startsWith(`${series} `));
  assert.ok(line !== undefined, `${series} is there`);
  return Number(line.slice(series.length + 1));
}

test('the process tells its version, start, memory, CPU and panics', async () => {
  const register = new Register();
  let panics = 0;
  const facts = { version: '1.2.3', revision: 'abc', eventLoopDelay: new EventLoopDelay(), panics: () => panics };
  registerProcessMetrics(register, facts);
  panics = 2;
  const page = await register.text();
  assert.equal(value(page, `coredns_build_info{version="1.2.3",revision="abc",goversion="${process.version}"}`), 1);
  assert.equal(value(page, 'coredns_panics_total'), 2);
  assert.ok(value(page, 'process_resident_memory_bytes') > 1e6);
  assert.ok(value(page, 'process_cpu_seconds_total') > 0);
  assert.ok(Math.abs(value(page, 'process_start_time_seconds') - Date.now() / 1000) < 3600);
});

test('on Linux open descriptors and anonymous memory are told too', {
  skip: process.platform !== 'linux',
}, async () => {
  const register = new Register();
  registerProcessMetrics(register, {
    version: '',
    revision: '',
    eventLoopDelay: new EventLoopDelay(),
    panics: () => 0,
  });
  const page = await register.text();
  assert.ok(value(page, 'process_open_fds') > 2);
  assert.ok(value(page, 'process_open_fds') <= value(page, 'process_max_fds'));
  const anonymous = value(page, 'signpost_anonymous_memory_bytes');
  assert.ok(anonymous > 1e6 && anonymous < value(page, 'process_resident_memory_bytes') * 2);
});

test('a loop that was held up shows in the delay histogram', async () => {
  const delay = new EventLoopDelay();
  delay.start();
  // Held up from before the sample is due until well after it.
  const until = performance.now() + 400;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 10));
  delay.stop();
  const late = delay.counts.slice(DELAY_BOUNDS_SECONDS.indexOf(0.1) + 1).reduce((sum, count) => sum + count, 0);
  assert.equal(late, 1);
  assert.ok(delay.sumSeconds > 0.1);
});

test('every limit is on the page with its bound and its hits, zero included', async () => {
  const register = new Register();
  registerLimitMetrics(register);
  const before = IN_FLIGHT.hits;
  IN_FLIGHT.hits = before + 3;
  const page = await register.text();
  IN_FLIGHT.hits = before;
  for (const { name, value: bound } of LIMITS) assert.equal(value(page, `signpost_limit{limit="${name}"}`), bound);
  assert.equal(value(page, 'signpost_limit_hits_total{limit="in_flight"}'), before + 3);
});
