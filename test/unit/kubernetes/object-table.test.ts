import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectTable } from '../../../src/kubernetes/object-table.ts';

test('an object is found by namespace and name, with its owner, whether the name begins with that or not', () => {
  const table = new ObjectTable();
  for (const [namespace, name, owner] of [
    ['shop', 'web-x7k2p', 'web'],
    ['shop', 'web', 'web'],
    ['shop', 'mirrored', 'a-service'],
    ['sho', 'pweb', 'other'],
    ['', 'node', ''],
    ['n'.repeat(63), 'x'.repeat(253), 'y'.repeat(253)],
  ] as const) {
    assert.equal(table.find(namespace, name), -1, name);
    const slot = table.add(namespace, name, owner);
    assert.equal(table.find(namespace, name), slot);
    assert.deepEqual([table.namespace(slot), table.owner(slot), table.version(slot)], [namespace, owner, 0]);
  }
  assert.equal(table.find('shop', 'we'), -1);
  assert.equal(table.find('shopw', 'eb'), -1);
});

test('thousands that come and go are found as they are, and those that missed a list are told', () => {
  const table = new ObjectTable();
  const known = new Map<string, { owner: string; version: number; list: number }>();
  for (let step = 1; step <= 60_000; step++) {
    const name = `object-${(step * 7919) % 6007}-${step % 3}`;
    const list = step % 5;
    const slot = table.find('team', name);
    assert.equal(slot >= 0, known.has(name), name);
    if (slot < 0) {
      const owner = step % 2 === 0 ? 'object' : `owner-${step}`;
      table.see(table.add('team', name, owner), step, list);
      known.set(name, { owner, version: step, list });
    } else if (step % 4 === 0) {
      table.remove(slot);
      known.delete(name);
    } else {
      assert.deepEqual([table.owner(slot), table.version(slot)], [known.get(name)!.owner, known.get(name)!.version]);
      table.see(slot, step, list);
      known.set(name, { owner: known.get(name)!.owner, version: step, list });
    }
    assert.equal(table.size, known.size);
  }
  const missed = [...table.notIn(3)].map((slot) => table.version(slot)).sort();
  const expected = [...known.values()]
    .filter(({ list }) => list !== 3)
    .map(({ version }) => version)
    .sort();
  assert.deepEqual(missed, expected);
});
