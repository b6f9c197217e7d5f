import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricsPage } from '../../../src/admin/metrics-page.ts';
import { METRICS_PAGES } from '../../../src/core/limits.ts';
import { Register } from '../../../src/metrics/register.ts';

function made() {
  const register = new Register();
  const time = { ms: 5000 };
  let count = 0;
  register.counter('asked_total', 'Pages made.', [], (emit) => emit({}, ++count));
  const page = new MetricsPage(register, { nowMs: () => time.ms });
  return { time, page, last: async () => Number((await page.answer()).body.trim().split(' ').at(-1)) };
}

test('a scrape shows what is so when it comes', async () => {
  const { last } = made();
  assert.equal(await last(), 1);
  assert.equal(await last(), 2);
});

test('a flood of scrapes is given the latest page again, until the second is over', async () => {
  const { time, last } = made();
  const hits = METRICS_PAGES.hits;
  for (let i = 1; i <= METRICS_PAGES.value; i++) assert.equal(await last(), i);
  for (let i = 0; i < 5; i++) assert.equal(await last(), METRICS_PAGES.value);
  assert.equal(METRICS_PAGES.hits, hits + 5);
  time.ms += 1000;
  assert.equal(await last(), METRICS_PAGES.value + 1);
});
