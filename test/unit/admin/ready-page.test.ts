import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadyPage } from '../../../src/admin/ready-page.ts';

const LISTENERS = { name: 'listeners', ok: true, message: '127.0.0.1:53' };

test('ready is 200 when every reason holds, with the reasons', async () => {
  const page = new ReadyPage({ reasons: () => [LISTENERS], podUid: undefined });
  const answer = await page.answer(new URLSearchParams());
  assert.equal(answer.status, 200);
  assert.deepEqual(JSON.parse(answer.body), { ready: true, reasons: [LISTENERS] });
});

test('one reason that does not hold makes it 503, with all the reasons', async () => {
  const lameduck = { name: 'lameduck', ok: false, message: 'SIGTERM came' };
  const page = new ReadyPage({ reasons: () => [LISTENERS, lameduck], podUid: undefined });
  const answer = await page.answer(new URLSearchParams());
  assert.equal(answer.status, 503);
  assert.deepEqual(JSON.parse(answer.body), { ready: false, reasons: [LISTENERS, lameduck] });
});

test('a probe that means another pod is 503, and says who answered', async () => {
  const page = new ReadyPage({ reasons: () => [LISTENERS], podUid: 'old' });
  assert.equal((await page.answer(new URLSearchParams('pod=old'))).status, 200);
  const answer = await page.answer(new URLSearchParams('pod=new'));
  assert.equal(answer.status, 503);
  const { ready, reasons } = JSON.parse(answer.body);
  assert.equal(ready, false);
  assert.deepEqual(reasons[0], { name: 'identity', ok: false, message: 'Asked of pod new, this is pod old' });
});

test('a process that does not know its pod answers no probe by identity', async () => {
  const page = new ReadyPage({ reasons: () => [LISTENERS], podUid: undefined });
  assert.equal((await page.answer(new URLSearchParams('pod=new'))).status, 503);
  assert.equal((await page.answer(new URLSearchParams('pod='))).status, 503);
});

test('a probe that means a pod that stands by is answered by that one', async () => {
  const askStandby = (pod: string) =>
    pod === 'old' ? Promise.resolve() : pod === 'hung' ? Promise.reject(new Error('silent')) : undefined;
  const page = new ReadyPage({ reasons: () => [LISTENERS], podUid: 'new', askStandby });
  const answer = await page.answer(new URLSearchParams('pod=old'));
  assert.equal(answer.status, 200);
  assert.match(answer.body, /pod old stands by, pod new serves/);
  assert.equal((await page.answer(new URLSearchParams('pod=hung'))).status, 503);
  assert.equal((await page.answer(new URLSearchParams('pod=other'))).status, 503);
});
