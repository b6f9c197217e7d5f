import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../../src/core/clock.ts';
import { Following } from '../../../src/kubernetes/following.ts';

function followed(t: TestContext, { renewalMs, quietMs }: { renewalMs: number; quietMs: number }): Following {
  const following = new Following({ clock: monotonicClock, renewalMs, quietMs, onLive() {}, onChange() {} });
  t.after(() => following.clearTimers());
  return following;
}

test('a watch that was ended before it had caught up does not put an end to the next one, which does', async (t) => {
  const following = followed(t, { renewalMs: 5, quietMs: 50 });
  following.catchUp();
  following.came(false);
  following.renew();
  following.catchUp();
  for (let tries = 0; !following.isLive; tries++) {
    assert.ok(tries < 1000, 'never followed again');
    await sleep(10);
  }
});
