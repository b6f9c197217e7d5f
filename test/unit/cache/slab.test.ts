import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAGE_BYTES, Slab } from '../../../src/cache/slab.ts';

/** Takes a place and marks it as an entry of that length, as the cache does. */
function take(slab: Slab, length: number): number {
  const at = slab.allocate(length);
  if (at !== -1) slab.memory.u16[(at >> 1) + 16] = Math.ceil(length / 16);
  return at;
}

test('a slot is at most a fifth larger than what it holds, up to 4 KiB', () => {
  for (let length = 96; length <= 4096; length += 16) {
    const slab = new Slab(2 * PAGE_BYTES);
    take(slab, length);
    assert.ok(slab.usedBytes <= length * 1.2, `${length} B took ${slab.usedBytes}`);
  }
});

test('a page whose places were all freed serves another size', () => {
  const slab = new Slab(2 * PAGE_BYTES);
  const small: number[] = [];
  for (let at = take(slab, 96); at !== -1; at = take(slab, 96)) small.push(at);
  assert.equal(take(slab, 5000), -1, 'full');
  for (const at of small) slab.free(at);
  assert.notEqual(take(slab, 5000), -1);
});

test('a page is emptied for another size when only small entries are left', () => {
  const slab = new Slab(2 * PAGE_BYTES);
  const live = new Set<number>();
  for (let at = take(slab, 96); at !== -1; at = take(slab, 96)) live.add(at);
  const before = live.size;
  const evict = (at: number): void => {
    assert.ok(live.delete(at), 'only live places are evicted, each once');
    slab.free(at);
  };
  slab.emptyPage(60_000, () => assert.fail('there is nowhere to move to'), evict);
  assert.equal(live.size, before / 2);
  assert.notEqual(take(slab, 60_000), -1);
});

test('what lies in a page that is emptied moves to where there is room, bytes and all', () => {
  const slab = new Slab(3 * PAGE_BYTES);
  const live: number[] = [];
  for (let at = take(slab, 96); at !== -1; at = take(slab, 96)) live.push(at);
  const inFirst = live.filter((at) => at < PAGE_BYTES);
  for (const at of live.filter((_, i) => i % 3 !== 0)) slab.free(at);
  const kept = live.filter((_, i) => i % 3 === 0);
  for (const at of kept) slab.memory.bytes[at + 70] = at % 251;
  const moved = new Map<number, number>();
  const onMove = (from: number, to: number): void => {
    moved.set(from, to);
    slab.free(from);
  };
  slab.emptyPage(60_000, onMove, () => assert.fail('there is room for all'));
  assert.ok(moved.size >= Math.floor(inFirst.length / 3));
  for (const [from, to] of moved) assert.equal(slab.memory.bytes[to + 70], from % 251);
  assert.notEqual(take(slab, 60_000), -1);
  assert.equal(new Set([...kept.map((at) => moved.get(at) ?? at)]).size, kept.length, 'no two in one place');
});

test('an entry of a whole page has a place', () => {
  const slab = new Slab(2 * PAGE_BYTES);
  assert.notEqual(take(slab, PAGE_BYTES), -1);
  assert.notEqual(take(slab, PAGE_BYTES), -1);
  assert.equal(take(slab, PAGE_BYTES), -1);
});
