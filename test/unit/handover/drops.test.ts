import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Standby } from '../../../src/handover/standby.ts';
import { House, type Process, TIMES, until } from './house.ts';

const isKnown = (standby: Process, serving: Process) => () =>
  serving.succession.standbys.some(({ other }) => other.id === standby.succession.self.id);

test('what the one that serves drops is dropped by all that stand by', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  const second = await house.start('b');
  const third = await house.start('c');
  await until('both stand by', () => third.succession.standbys.length === 2);
  assert.deepEqual([first.forgotten, second.forgotten], [[], []]);
  third.succession.dropped('example.com.');
  await until('both have dropped all', () => first.forgotten.length === 1 && second.forgotten.length === 1);
  assert.deepEqual([first.forgotten, second.forgotten, third.forgotten], [['*'], ['*'], []]);
});

test('also where that one dies the moment after', async (t) => {
  for (let round = 0; round < 20; round++) {
    const house = new House(t);
    const first = await house.start('a');
    const second = await house.start('b');
    await until('the first stands by', isKnown(first, second));
    second.succession.dropped();
    second.end();
    await until('the first serves', () => first.succession.role === 'serving');
    assert.deepEqual(first.forgotten, ['*']);
  }
});

test('and where it was dropped before the one that stands by was known', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  const second = await house.newcomer('b');
  await second.succession.enter(async () => {
    // As when a dynamic update comes to the new one while the old one still reads.
    second.succession.dropped('example.com.');
  });
  await second.succession.settle(second);
  await until('the first has dropped all', () => first.forgotten.length === 1);
});

test('what the one that stands by drops, in answering what it had in flight, is dropped by the one that serves', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  const second = await house.start('b');
  const third = await house.start('c');
  await until('both stand by', () => third.succession.standbys.length === 2);
  first.succession.dropped('example.com.');
  await until('the one that serves has dropped the zone', () => third.forgotten.length === 1);
  assert.deepEqual(third.forgotten, ['example.com.']);
  await until('and all that stand by', () => first.forgotten.length === 1 && second.forgotten.length === 1);
  // Nobody goes on telling the others.
  await third.succession.askStandby('a');
  await third.succession.askStandby('b');
  assert.deepEqual([first.forgotten, second.forgotten, third.forgotten], [['*'], ['*'], ['example.com.']]);
});

test('another configuration is everyone’s own matter: it is not told by the one that stands by', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  const second = await house.start('b');
  await until('the first stands by', isKnown(first, second));
  first.succession.dropped();
  await second.succession.askStandby('a');
  assert.deepEqual(second.forgotten, []);
});

test('what the old one drops after it gave its cache is dropped by the new one', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  first.succession.dropped('before.example.');
  const second = await house.newcomer('b');
  await second.succession.enter(async () => {
    first.succession.dropped('example.com.');
  });
  await second.succession.settle(second);
  await until('the new one has dropped all', () => second.forgotten.length > 0);
  assert.deepEqual(second.forgotten, ['.']);
});

test('what was dropped before it gave its cache is not in there, and nothing more is dropped for it', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  first.succession.dropped('before.example.');
  const second = await house.start('b');
  await until('the first stands by', isKnown(first, second));
  await second.succession.askStandby('a');
  assert.deepEqual([first.forgotten, second.forgotten], [[], []]);
});

test('what is dropped while nobody can be told is told to the one that serves next', async (t) => {
  const house = new House(t);
  const serving = await house.start('a');
  const { self } = serving.succession;
  const parts = {
    path: house.path,
    self: { ...self, id: 'another' },
    passesSockets: true,
    protocols: [1],
    times: TIMES,
  };
  const standby = new Standby(parts, true);
  t.after(() => standby.end());
  standby.tellDropped('a.example.');
  standby.tellDropped('b.example.');
  await standby.register();
  await until('it was told', () => serving.forgotten.length > 0);
  assert.deepEqual(serving.forgotten, ['.']);
});
