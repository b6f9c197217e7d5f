import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Random } from '../../fuzz/random.ts';
import { ImageHouse, scratch } from './image-house.ts';

const SUFFIX = 'example.com';

/** The answer to a name has as many records as its number says, all with an address made of it, so that sizes differ and nothing can be mixed up. */
function learn(house: ImageHouse, number: number): void {
  const name = `n${number}.${SUFFIX}`;
  const data = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  const answers = Array.from({ length: 1 + (number % 29) }, () => ({ name, type: 'A' as const, ttl: 60, data }));
  house.learn(name, { answers });
}

test('entries that are stored, moved and given up while an image is written do it no harm', async (t) => {
  const path = join(await scratch(t), 'image');
  const house = new ImageHouse({ bytes: 3 << 20 });
  const { cache } = house.house;
  const random = new Random(6);
  let next = 0;
  while (cache.evictions < 500) learn(house, next++);
  let isWriting = true;
  const store = (): void => {
    if (!isWriting) return;
    // Of one size for a while, then of another: pages are emptied and cut anew.
    for (let i = 0; i < 20; i++) learn(house, next++ * 29 + random.below(3) * 9);
    setImmediate(store);
  };
  store();
  // So that there is time for much to happen.
  const saved = await house.save(path, { bytesPerSecond: 20_000_000 });
  isWriting = false;
  assert.ok(saved.entries > 500);
  const other = new ImageHouse({ bytes: 6 << 20, seed: 7 });
  const loaded = await other.load(path);
  assert.deepEqual([loaded.invalid, loaded.known, loaded.entries], [0, 0, saved.entries]);
  let found = 0;
  for (let number = 0; number < next * 29 + 60; number++) {
    const hex = (0x0a00_0000 + number).toString(16).padStart(8, '0');
    const answer = other.cached(`n${number}.${SUFFIX}`);
    if (answer === '') continue;
    found++;
    assert.equal(answer, `${hex} 60`);
  }
  assert.ok(found > 0);
});

test('an entry whose TTL goes on to the next second while an image is written is in it', async (t) => {
  const path = join(await scratch(t), 'image');
  const house = new ImageHouse();
  learn(house, 1);
  house.house.pass(20_990);
  const saving = house.save(path);
  // Begun, but no page has been looked at.
  house.house.pass(20);
  assert.equal(house.cached(`n1.${SUFFIX}`).split(' ')[1], '39');
  await saving;
  const other = new ImageHouse({ seed: 7 });
  const { entries, invalid } = await other.load(path);
  assert.deepEqual([entries, invalid], [1, 0]);
});

test('entries that come while an image is read are those that stay', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = new ImageHouse({ bytes: 8 << 20 });
  for (let i = 0; i < 8000; i++) before.learn(`n${i}.${SUFFIX}`, { answers: [record(i, '10.0.0.1')] });
  await before.save(path);
  const after = new ImageHouse({ bytes: 8 << 20 });
  const loading = after.load(path);
  const own = new Set<number>();
  for (let i = 0; i < 8000; i += 40) {
    if (after.learn(`n${i}.${SUFFIX}`, { answers: [record(i, '10.0.0.2')] })) own.add(i);
    if (i % 400 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await loading;
  assert.ok(own.size > 0);
  for (let i = 0; i < 8000; i++) {
    assert.equal(after.cached(`n${i}.${SUFFIX}`), `${own.has(i) ? '0a000002' : '0a000001'} 60`);
  }
});

function record(number: number, data: string): { name: string; type: 'A'; ttl: number; data: string } {
  return { name: `n${number}.${SUFFIX}`, type: 'A', ttl: 60, data };
}

test('a reader that ends early, and a writer, leave what they had done and nothing broken', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = new ImageHouse({ bytes: 8 << 20 });
  for (let i = 0; i < 6000; i++) before.learn(`n${i}.${SUFFIX}`, { answers: [record(i, '10.0.0.1')] });
  const ended = AbortSignal.abort();
  await assert.rejects(before.save(path, { signal: ended, bytesPerSecond: 1 }), { name: 'AbortError' });
  await assert.rejects(new ImageHouse().load(path), { code: 'ERR_IMAGE_CORRUPT' });
  const { entries } = await before.save(path);
  assert.equal(entries, 6000);
});
