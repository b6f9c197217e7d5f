import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { House, type Process, until } from './house.ts';

const roles = (...processes: Process[]) => processes.map(({ succession }) => succession.role);

test('the first process serves; the next takes cache and sockets, and the first stands by', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  assert.equal(first.succession.arrival, 'cold');
  const second = await house.start('b');
  await until('the first is known to stand by', () => second.succession.standbys.length === 1);
  assert.deepEqual(roles(first, second), ['standby', 'serving']);
  assert.deepEqual([first.state, second.state], ['paused', 'reads']);
  assert.equal(second.succession.arrival, 'taken');
  assert.equal(second.succession.inherited, 6);
  assert.deepEqual([first.saves, second.loads], [2, 2]);
  const [link] = second.succession.standbys;
  assert.equal(link?.other.pod, 'a');
  await link?.ping();
});

test('when the successor dies, the one that stands by serves again, and can be taken from again', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  for (const pod of ['b', 'c', 'd']) {
    const next = await house.start(pod);
    await until('it stands by', () => first.succession.role === 'standby' && next.succession.standbys.length === 1);
    next.end();
    await until('it serves again', () => first.succession.role === 'serving');
    assert.equal(first.state, 'reads');
  }
  assert.equal(first.succession.counts.takenBack, 3);
});

test('a container of an older pod that starts again waits, and serves when the newer is gone', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  const second = await house.start('b');
  await until('the first stands by', () => second.succession.standbys.length === 1);
  first.end();
  const again = await house.newcomer('a');
  assert.equal(again.succession.self.generation, first.succession.self.generation);
  const begun = again.begin();
  await until('it waits', () => second.succession.standbys.some(({ other }) => other.id === again.succession.self.id));
  assert.deepEqual(roles(again, second), ['waiting', 'serving']);
  second.end();
  await begun;
  assert.equal(again.succession.role, 'serving');
});

test('a folder that was deleted is made again, and who starts then is newer', async (t) => {
  const house = new House(t);
  await house.start('earlier');
  const first = await house.start('a');
  rmSync(house.state, { recursive: true });
  await until('it is found again', () => existsSync(house.path));
  assert.equal(first.succession.hidden, undefined);
  const second = await house.start('b');
  assert.deepEqual([second.succession.arrival, second.succession.role], ['taken', 'serving']);
  assert.equal(second.succession.self.generation, first.succession.self.generation + 1);
});

test('where the folder cannot be made again it says so, until it can', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  rmSync(house.state, { recursive: true });
  writeFileSync(house.state, 'in the way');
  await until('it says so', () => first.succession.hidden !== undefined);
  assert.equal(first.succession.role, 'serving');
  rmSync(house.state);
  await until('it is found again', () => first.succession.hidden === undefined);
  const second = await house.start('b');
  assert.equal(second.succession.arrival, 'taken');
});

test('a wait ends with the signal', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  await house.start('b');
  first.end();
  const ending = new AbortController();
  const again = await house.newcomer('a', { signal: ending.signal });
  const begun = assert.rejects(again.begin(), { name: 'AbortError' });
  await until('it waits', () => again.succession.role === 'waiting');
  ending.abort();
  await begun;
});

test('a container of the newest pod that starts again takes from whoever has taken back', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  const second = await house.start('b');
  await until('the first stands by', () => second.succession.standbys.length === 1);
  second.end();
  await until('the first serves', () => first.succession.role === 'serving');
  const again = await house.start('b');
  assert.equal(again.succession.self.generation, second.succession.self.generation);
  assert.deepEqual(roles(first, again), ['standby', 'serving']);
});

test('many stand by behind one, and the newest of them is the one that serves again', async (t) => {
  const house = new House(t);
  const processes: Process[] = [];
  for (const pod of ['a', 'b', 'c', 'd']) processes.push(await house.start(pod));
  const [a, b, c, d] = processes as [Process, Process, Process, Process];
  await until('all stand by behind the last', () => d.succession.standbys.length === 3);
  d.end();
  await until('the newest serves, and all others stand by behind it', () => c.succession.standbys.length === 2);
  assert.deepEqual(roles(a, b, c), ['standby', 'standby', 'serving']);
  a.end();
  c.end();
  await until('the one that is left serves', () => b.succession.role === 'serving');
});

test('without POD_UID each start is newer', async (t) => {
  const house = new House(t);
  const first = await house.start(undefined);
  const second = await house.start(undefined);
  assert.deepEqual(roles(first, second), ['standby', 'serving']);
});

test('of two that start at once one serves, and all others stand by or have taken over in turn', async (t) => {
  const house = new House(t);
  await house.start('a');
  const processes = await Promise.all(['b', 'c', 'd'].map((pod) => house.newcomer(pod)));
  const begun = processes.map((process) => process.begin());
  const newest = processes.reduce((x, y) => (x.succession.self.generation > y.succession.self.generation ? x : y));
  await until('the newest serves before all others', () => newest.succession.standbys.length === 3);
  for (const process of processes) if (process !== newest) assert.notEqual(process.succession.role, 'serving');
  for (const process of processes) process.end();
  await Promise.allSettled(begun);
});

test('a cache that cannot be given is no reason not to give the sockets', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  first.saveError = new Error('no memory');
  const second = await house.start('b');
  assert.deepEqual(roles(first, second), ['standby', 'serving']);
  assert.equal(second.succession.arrival, 'taken');
  assert.equal(second.loads, 0);
});

test('fifty hand-overs leave no descriptor behind', async (t) => {
  const house = new House(t);
  const open = () => readdirSync('/proc/self/fd').length;
  let last = await house.start('pod-0');
  let before = 0;
  for (let i = 1; i <= 50; i++) {
    const next = await house.start(`pod-${i}`);
    await until('the one before stands by', () => next.succession.standbys.length === 1);
    last.end();
    await until('it is gone', () => next.succession.standbys.length === 0);
    last = next;
    if (i === 10) before = open();
  }
  await until('no more are open than before', () => open() <= before);
});
