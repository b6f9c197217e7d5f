import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EntryIndex } from '../../../src/cache/entry-index.ts';
import { Random } from '../../fuzz/random.ts';

const PLACES = 8192;

/** Keys as hashes are, or all alike but for a few bits, so that they crowd the same places. */
const KEYS: Record<string, (random: Random) => number> = {
  'spread over 32 bits': (random) => Math.imul(random.below(20_000), 0x9e3779b1) | 0,
  'crowded at the end of the array': (random) => (random.below(300) << 20) | (PLACES - 1 - random.below(20)),
  'the same in their low bits': (random) => random.below(300) << 14,
};

for (const [kind, keyFrom] of Object.entries(KEYS)) {
  test(`keys ${kind}: half a million steps find what a map has, and nothing else`, () => {
    const random = new Random(17);
    const index = new EntryIndex(PLACES);
    const map = new Map<number, number>();
    for (let step = 0; step < 500_000; step++) {
      const key = keyFrom(random);
      const share = random.below(10);
      if (share < 5) {
        assert.equal(index.find(key), map.get(key) ?? -1);
      } else if (share < 7 && (map.size < index.capacity || map.has(key))) {
        const offset = step * 16;
        assert.equal(index.set(key, offset), map.get(key) ?? -1);
        map.set(key, offset);
      } else if (share < 8 && map.has(key)) {
        index.move(key, step * 16);
        map.set(key, step * 16);
      } else if (share === 8) {
        assert.equal(index.delete(key), map.get(key) ?? -1);
        map.delete(key);
      } else if (step % 500 === 0 && map.size > 0) {
        expectEvicted(index, map);
      }
      assert.equal(index.size, map.size);
    }
    while (map.size > 0) expectEvicted(index, map);
    assert.equal(index.evict(), -1);
  });
}

/** Some entry goes, and is one that was there. */
function expectEvicted(index: EntryIndex, map: Map<number, number>): void {
  const offset = index.evict();
  const key = [...map].find(([, at]) => at === offset)?.[0];
  assert.notEqual(key, undefined, `${offset} was there`);
  map.delete(key!);
}

test('what is found again and again stays, what is not found goes first', () => {
  const index = new EntryIndex(PLACES);
  const random = new Random(5);
  const key = (i: number): number => Math.imul(i, 0x9e3779b1) | 0;
  const popular = 1000;
  for (let i = 0; i < index.capacity; i++) index.set(key(i), i * 16);
  for (let i = index.capacity; i < 40_000; i++) {
    for (let asked = 0; asked < 10; asked++) index.find(key(random.below(popular)));
    index.evict();
    index.set(key(i), i * 16);
  }
  let kept = 0;
  for (let i = 0; i < popular; i++) if (index.find(key(i)) !== -1) kept++;
  // Few of them went before they were found for the first time.
  assert.ok(kept > popular * 0.95, `${kept} of ${popular}`);
});

test('where all are in use, one goes all the same, after a bounded search', () => {
  const index = new EntryIndex(1 << 20);
  for (let i = 0; i < 500_000; i++) index.set(Math.imul(i, 0x9e3779b1) | 0, i * 16);
  assert.notEqual(index.evict(), -1);
  assert.equal(index.size, 499_999);
});

test('what goes one after the other is spread over the array, so that no part of it overflows', () => {
  const index = new EntryIndex(PLACES);
  for (let key = 0; key < index.capacity; key++) index.set(Math.imul(key, 0x9e3779b1) | 0, key * 16);
  // A key's place is its low bits: sixteen parts of the array.
  const goneFrom = new Array<number>(16).fill(0);
  for (let i = 0; i < 960; i++) {
    const key = Math.imul(index.evict() / 16, 0x9e3779b1);
    goneFrom[(((key & (PLACES - 1)) * 16) / PLACES) | 0]!++;
  }
  for (const count of goneFrom) assert.ok(count > 40 && count < 80, `${goneFrom}`);
});

test('it holds three quarters of its places, and says what that costs', () => {
  assert.equal(EntryIndex.placesFor(1), 4096);
  assert.equal(EntryIndex.placesFor(3072), 4096);
  assert.equal(EntryIndex.placesFor(3073), 8192);
  assert.equal(new EntryIndex(8192).capacity, 6144);
  // 8 B a place, and the half as large array before it while it grows.
  assert.equal(EntryIndex.bytesOf(8192), 8192 * 8 + 4096 * 8);
});

test('it makes room for as many entries as are expected, and no more than it may hold', () => {
  const index = new EntryIndex(EntryIndex.placesFor(20_000));
  index.set(5, 160);
  index.reserve(4_000_000_000);
  assert.equal(index.find(5), 160);
  for (let key = 6; index.size < index.capacity; key++) index.set(key, 16 * key);
  assert.equal(index.find(5), 160);
  assert.equal(index.find(1000), 16_000);
});
