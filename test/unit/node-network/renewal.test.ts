import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Renewal, RenewalCounts } from '../../../src/node-network/renewal.ts';
import { FakeClock } from '../../fake-clock.ts';

interface Scene {
  renew?: () => Promise<void>;
  isServing?: () => boolean;
}

function renewalOf({ renew = async () => {}, isServing = () => true }: Scene) {
  const counts = new RenewalCounts();
  const errors: Error[] = [];
  const clock = new FakeClock();
  return {
    counts,
    errors,
    clock,
    renewal: new Renewal({ clock, renew, isServing, onError: (error) => errors.push(error) }, counts),
  };
}

test('a renewal that the kernel took is counted, with its time', async () => {
  const { renewal, counts, clock } = renewalOf({});
  await renewal.start();
  assert.equal(counts.renewals, 1);
  assert.equal(counts.renewedMs, clock.nowMs());
});

test('an agent that cannot show that it serves is not renewed', async () => {
  const { renewal, counts } = renewalOf({ isServing: () => false, renew: () => assert.fail('renewed') });
  await renewal.start();
  assert.deepEqual([counts.renewals, counts.notServing], [0, 1]);
});

test('a renewal that fails is told and does not end the others', async () => {
  let isBroken = true;
  const { renewal, counts, errors } = renewalOf({
    renew: async () => {
      if (isBroken) throw new Error('ENOENT');
    },
  });
  await renewal.start();
  isBroken = false;
  await renewal.renew();
  assert.equal(errors.length, 1);
  assert.equal(counts.renewals, 1);
});

test('a liveness test that throws is told like a failed renewal', async () => {
  const { renewal, errors } = renewalOf({
    isServing: () => {
      throw new Error('lost');
    },
  });
  await renewal.start();
  assert.equal(errors.length, 1);
});

test('while the kernel holds one up, no other begins; stopping waits for it', async () => {
  let begun = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const { renewal, counts } = renewalOf({
    renew: () => {
      begun++;
      return promise;
    },
  });
  void renewal.start();
  void renewal.renew();
  const stopped = renewal.stop();
  assert.equal(begun, 1);
  resolve();
  await stopped;
  assert.equal(counts.renewals, 1);
});

test("once stopped, nothing renews any more: the switch may be a successor's", async () => {
  const { renewal, counts } = renewalOf({});
  await renewal.start();
  await renewal.stop();
  await renewal.renew();
  assert.equal(counts.renewals, 1);
});
