import assert from 'node:assert/strict';
import { test } from 'node:test';
import { House, until } from './house.ts';

const [HERE, THERE] = [{ network: 'net:[1]' }, { network: 'net:[2]' }];

test('a successor in a network of its own gets the cache and no sockets, and both serve', async (t) => {
  const house = new House(t);
  const first = await house.start('a', HERE);
  const second = await house.start('b', THERE);
  assert.deepEqual([first.succession.role, second.succession.role], ['serving', 'serving']);
  assert.deepEqual([first.state, second.state], ['reads', 'reads']);
  assert.deepEqual([second.succession.arrival, second.succession.inherited], ['taken', 6]);
  assert.equal(first.succession.counts.given, 1);
});

test('the newest is the one that the next takes from', async (t) => {
  const house = new House(t);
  await house.start('a', HERE);
  const second = await house.start('b', THERE);
  const third = await house.start('c', { network: 'net:[3]' });
  assert.equal(second.succession.counts.given, 1);
  assert.equal(third.succession.inherited, 6);
});

test('a container of an older pod that starts again serves at once: a newer one has other addresses', async (t) => {
  const house = new House(t);
  const first = await house.start('a', HERE);
  const second = await house.start('b', THERE);
  first.end();
  const again = await house.start('a', HERE);
  assert.deepEqual([again.succession.role, second.succession.role], ['serving', 'serving']);
  assert.equal(again.succession.arrival, 'cold');
});

test('where nothing can be handed over the older keeps its addresses', async (t) => {
  const house = new House(t);
  const first = await house.start('a', { ...HERE, protocols: [7] });
  const second = await house.start('b', THERE);
  assert.deepEqual([first.state, second.state], ['reads', 'reads']);
  assert.equal(second.succession.arrival, 'cold');
  assert.equal(first.succession.counts.yielded, 0);
});

test('one that cannot pass its sockets gives its cache all the same', async (t) => {
  const house = new House(t);
  const first = await house.start('a', HERE);
  first.passes = false;
  const second = await house.start('b', THERE);
  assert.equal(second.succession.inherited, 6);
  assert.equal(first.state, 'reads');
});

test('in one network all is as ever', async (t) => {
  const house = new House(t);
  const first = await house.start('a', HERE);
  const second = await house.start('b', HERE);
  await until('the first stands by', () => second.succession.standbys.length === 1);
  assert.equal(first.state, 'paused');
});
