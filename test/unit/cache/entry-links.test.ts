import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EntryLinks } from '../../../src/cache/entry-links.ts';
import { ENTRY_LINKS, GROUP_LINKS } from '../../../src/core/limits.ts';
import { atOnce } from '../../../src/core/slices.ts';

function taken(links: EntryLinks, group: number): number[] {
  const keys: number[] = [];
  links.take(group, (key) => keys.push(key));
  return keys.toSorted((a, b) => a - b);
}

test('a group has the keys that were noted, once each, and none when it was taken', () => {
  const links = new EntryLinks();
  for (const key of [7, -3, 7, 9]) links.add(-5, key);
  links.add(6, 7);
  assert.deepEqual(taken(links, -5), [-3, 7, 9]);
  assert.deepEqual(taken(links, -5), []);
  assert.deepEqual(taken(links, 6), [7]);
  assert.equal(links.size, 0);
});

test('a row is crowded by the groups in it together, is emptied at once, and has room again when some were taken', () => {
  const links = new EntryLinks();
  const [group, neighbour, other] = [5, 5 + 1024 * 1024, 6];
  for (let key = 0; key < GROUP_LINKS.value - 2; key++) links.add(group, key);
  for (const key of [-1, -2]) {
    assert.equal(links.isCrowded(group), false);
    links.add(neighbour, key);
  }
  links.add(other, -3);
  assert.deepEqual(
    [group, neighbour, other].map((each) => links.isCrowded(each)),
    [true, true, false],
  );
  assert.deepEqual(taken(links, neighbour), [-2, -1]);
  assert.equal(links.isCrowded(group), false);
  let keys = 0;
  links.takeRow(neighbour, () => keys++);
  assert.deepEqual([keys, links.size], [GROUP_LINKS.value - 2, 1]);
  assert.deepEqual([taken(links, group), taken(links, other)], [[], [-3]]);
});

test('it is what a plain map of sets would be, through growth, taking and sweeps', () => {
  const links = new EntryLinks();
  const model = new Map<number, Set<number>>();
  let random = 12_345;
  const next = (most: number): number => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) | 0;
    return (random >>> 8) % most;
  };
  for (let i = 0; i < 60_000; i++) {
    const group = next(4000) - 2000;
    const what = next(20);
    if (what === 0) {
      assert.deepEqual(
        taken(links, group),
        [...(model.get(group) ?? [])].toSorted((a, b) => a - b),
      );
      model.delete(group);
    } else if (what === 1 && i % 50 === 0) {
      const isThere = (key: number): boolean => key % 3 !== 0;
      atOnce(links.sweep(isThere));
      for (const [name, keys] of model) model.set(name, new Set([...keys].filter(isThere)));
    } else {
      const key = next(10) + group * 100;
      links.add(group, key);
      model.set(group, (model.get(group) ?? new Set()).add(key));
    }
  }
  const size = [...model.values()].reduce((sum, keys) => sum + keys.size, 0);
  assert.equal(links.size, size);
  const all: number[] = [];
  atOnce(links.forEach((key) => void all.push(key)));
  assert.equal(all.length, size);
});

test('when it is full it says so, and has room again when entries that are gone were swept out', () => {
  const links = new EntryLinks();
  const { hits } = ENTRY_LINKS;
  for (let i = 0; i < ENTRY_LINKS.value; i++) assert.equal(links.add(i, i), true);
  assert.equal(links.add(-1, -1), false);
  assert.equal(ENTRY_LINKS.hits, hits + 1);
  atOnce(links.sweep((key) => key % 2 === 0));
  assert.equal(links.size, ENTRY_LINKS.value / 2);
  assert.equal(links.add(-1, -1), true);
});
