import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthPage } from '../../../src/admin/health-page.ts';
import { Register } from '../../../src/metrics/register.ts';

const ANY = new URLSearchParams();

test('a process that answers its own question is healthy', async () => {
  const page = new HealthPage({ probe: async () => {}, podUid: undefined, clock: { nowMs: () => 0 } });
  const answer = await page.answer(ANY);
  assert.equal(answer.status, 200);
  assert.equal(answer.body, 'OK\n');
});

test('a process that does not is 503 with the reason', async () => {
  const probe = () => Promise.reject(new Error('silent for 900 ms'));
  const page = new HealthPage({ probe, podUid: undefined, clock: { nowMs: () => 0 } });
  const answer = await page.answer(ANY);
  assert.equal(answer.status, 503);
  assert.deepEqual(JSON.parse(answer.body), { code: 'ERR_UNHEALTHY', message: 'silent for 900 ms' });
});

test('a probe meant for another pod is not asked and not healthy', async () => {
  let asked = 0;
  const probe = async () => void asked++;
  const clock = { nowMs: () => 0 };
  const page = new HealthPage({ probe, podUid: 'new', clock });
  assert.equal((await page.answer(new URLSearchParams('pod=old'))).status, 503);
  assert.equal(asked, 0);
  assert.equal((await page.answer(new URLSearchParams('pod=new'))).status, 200);
  const unnamed = new HealthPage({ probe, podUid: undefined, clock });
  assert.equal((await unnamed.answer(new URLSearchParams('pod=new'))).status, 503);
});

test('probes that come together ask one question', async () => {
  let asked = 0;
  let settle = (): void => {};
  const probe = () => {
    asked++;
    return new Promise<void>((resolve) => {
      settle = resolve;
    });
  };
  const page = new HealthPage({ probe, podUid: undefined, clock: { nowMs: () => 0 } });
  const both = [page.answer(ANY), page.answer(ANY)];
  settle();
  for (const answer of await Promise.all(both)) assert.equal(answer.status, 200);
  assert.equal(asked, 1);
  const third = page.answer(ANY);
  settle();
  await third;
  assert.equal(asked, 2);
});

test('the time of every probe and the failures are counted as CoreDNS counts them', async () => {
  const time = { ms: 0 };
  let isDown = false;
  const probe = async () => {
    time.ms += 2;
    if (isDown) throw new Error('no');
  };
  const page = new HealthPage({ probe, podUid: undefined, clock: { nowMs: () => time.ms } });
  const register = new Register();
  page.registerMetrics(register);
  await page.answer(ANY);
  isDown = true;
  await page.answer(ANY);
  const lines = (await register.text()).split('\n');
  const name = 'coredns_health_request_duration_seconds';
  for (const [le, count] of [
    ['0.00025', 0],
    ['0.0025', 2],
    ['0.025', 2],
    ['0.25', 2],
    ['2.5', 2],
    ['+Inf', 2],
  ]) {
    assert.ok(lines.includes(`${name}_bucket{le="${le}"} ${count}`), `${le}`);
  }
  assert.ok(lines.includes(`${name}_sum 0.004`));
  assert.ok(lines.includes('coredns_health_request_failures_total 1'));
});
