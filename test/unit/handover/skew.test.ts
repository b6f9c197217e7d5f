import assert from 'node:assert/strict';
import { test } from 'node:test';
import { House, type Process, until } from './house.ts';

const roles = (...processes: Process[]) => processes.map(({ succession }) => succession.role);

for (const [what, old, next] of [
  ['an older version', [2], [1]],
  ['a newer version', [1], [2]],
] as const) {
  test(`a successor of ${what}, with no protocol in common, is left the addresses, and they are taken again when it dies`, async (t) => {
    const house = new House(t);
    const first = await house.start('a', { protocols: old });
    const second = await house.start('b', { protocols: next });
    assert.equal(second.succession.arrival, 'yielded');
    assert.equal(first.state, 'yielded');
    assert.deepEqual(roles(first, second), ['standby', 'serving']);
    await until('the old one is known to stand by', () => second.succession.standbys.length === 1);
    second.end();
    await until('the old one serves again', () => first.succession.role === 'serving');
    assert.equal(first.state, 'reads');
    assert.equal((await house.start('c', { protocols: old })).succession.arrival, 'taken');
  });
}

test('of the protocols that both speak the best is taken', async (t) => {
  const house = new House(t);
  await house.start('a', { protocols: [3, 1] });
  const second = await house.start('b', { protocols: [2, 1] });
  assert.equal(second.succession.arrival, 'taken');
});

test('a successor that dies before it has bound the addresses gives them back', async (t) => {
  const house = new House(t);
  const first = await house.start('a', { protocols: [2] });
  const second = await house.newcomer('b');
  await assert.rejects(
    second.succession.enter(async () => {
      assert.equal(first.state, 'yielded');
      throw new Error('it cannot be done');
    }),
    /it cannot be done/,
  );
  second.end();
  await until('the old one serves again', () => first.succession.role === 'serving' && first.state === 'reads');
});

test('where sockets cannot be passed the addresses are left', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  first.passes = false;
  const second = await house.start('b');
  assert.equal(second.succession.arrival, 'yielded');
  assert.equal(first.state, 'yielded');
});

test('without a C library the addresses are left, in both directions', async (t) => {
  const house = new House(t);
  const first = await house.start('a', { libc: undefined });
  const second = await house.start('b');
  assert.equal(second.succession.arrival, 'yielded');
  assert.equal(first.state, 'yielded');
  const third = await house.start('c', { libc: undefined });
  assert.equal(third.succession.arrival, 'yielded');
  assert.equal(second.state, 'yielded');
});

test('an older process takes nothing by asking for the addresses, either', async (t) => {
  const house = new House(t);
  const older = await house.newcomer('a', { protocols: [2] });
  const second = await house.start('b');
  const begun = older.begin();
  await until('it waits', () => older.succession.role === 'waiting');
  assert.equal(second.state, 'reads');
  second.end();
  await begun;
  assert.equal(older.succession.role, 'serving');
});
