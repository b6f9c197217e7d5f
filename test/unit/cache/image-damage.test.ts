import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32 } from 'node:zlib';
import type { LoadedImage } from '../../../src/cache/image-reader.ts';
import { mutate } from '../../fuzz/mutate.ts';
import { Random } from '../../fuzz/random.ts';
import { a, damage, ImageHouse, nxdomain, scratch } from './image-house.ts';

const NAMES = ['web.example.com', 'db.default.svc.cluster.local', 'mail.example.com', 'no.example.com'];
const HEADER = 96;
const BLOCK_HEAD = 16;

/** An image with one entry of each kind. */
async function sample(t: TestContext): Promise<string> {
  const path = join(await scratch(t), 'image');
  const house = new ImageHouse();
  house.learn(NAMES[0]!, {
    answers: [1, 2, 3].map((i) => ({ name: NAMES[0]!, type: 'A', ttl: 60, data: `10.0.0.${i}` })),
  });
  house.learn(NAMES[1]!, a(NAMES[1]!, '10.0.0.1', 20));
  const alias = [
    { name: NAMES[2]!, type: 'CNAME' as const, ttl: 60, data: 'mx.example.com' },
    { name: 'mx.example.com', type: 'A' as const, ttl: 60, data: '10.0.0.9' },
  ];
  house.learn(NAMES[2]!, { answers: alias });
  house.learn(NAMES[3]!, nxdomain('example.com'));
  await house.save(path);
  return path;
}

test('an image that was cut off anywhere is damaged, and nothing is made up', async (t) => {
  const path = await sample(t);
  const octets = readFileSync(path);
  for (let length = 0; length < octets.length; length += 7) {
    writeFileSync(path, octets.subarray(0, length));
    const code = length < 16 ? 'ERR_IMAGE_FOREIGN' : 'ERR_IMAGE_CORRUPT';
    await assert.rejects(new ImageHouse().load(path), { code }, `${length} octets`);
  }
});

test('an octet that changed on its way is noticed, wherever it is', async (t) => {
  const path = await sample(t);
  const octets = readFileSync(path);
  for (let at = 0; at < octets.length; at += 3) {
    damage(path, () => {
      const changed = Buffer.from(octets);
      changed[at] = changed[at]! ^ 0x10;
      return changed;
    });
    await assert.rejects(new ImageHouse().load(path), /ERR|image/, `octet ${at}`);
  }
});

test('a block that is missing, or stands twice, is noticed', async (t) => {
  const path = join(await scratch(t), 'image');
  const house = new ImageHouse({ bytes: 8 << 20 });
  for (let i = 0; i < 6000; i++) house.learn(`n${i}.example.com`, a(`n${i}.example.com`, '10.0.0.1'));
  await house.save(path);
  const octets = readFileSync(path);
  const end = HEADER + BLOCK_HEAD + octets.readUInt32LE(HEADER + 4);
  const parts = [octets.subarray(0, HEADER), octets.subarray(HEADER, end), octets.subarray(end)];
  for (const order of [
    [0, 2],
    [0, 1, 1, 2],
  ]) {
    writeFileSync(path, Buffer.concat(order.map((part) => parts[part]!)));
    await assert.rejects(new ImageHouse({ bytes: 8 << 20 }).load(path), { code: 'ERR_IMAGE_CORRUPT' });
  }
});

/** Puts the checksums right again, as somebody would who means harm. */
function seal(octets: Buffer): void {
  octets.writeUInt32LE(crc32(octets.subarray(0, HEADER - 4)), HEADER - 4);
  const trailer = octets.length - 32;
  octets.writeUInt32LE(trailer - HEADER - BLOCK_HEAD, HEADER + 4);
  octets.writeUInt32LE(crc32(octets.subarray(HEADER + BLOCK_HEAD, trailer)), HEADER + 8);
  octets.writeUInt32LE(crc32(octets.subarray(0, trailer)), trailer + 8);
  octets.writeDoubleLE(trailer, trailer + 24);
}

/** Changes what records say, not where they end, so that most of them are read to their end. */
function mutateFields(block: Uint8Array, random: Random): Uint8Array {
  const octets = Buffer.from(block);
  const sound = Buffer.from(block);
  for (let left = 1 + random.below(4); left > 0; left--) octets[random.below(octets.length)] = random.pick(TELLING);
  for (let at = 0; at < sound.length; at += sound.readUInt32LE(at)) sound.copy(octets, at, at, at + 8);
  return octets;
}

const TELLING = [0, 1, 2, 3, 5, 12, 16, 28, 41, 63, 64, 128, 192, 193, 250, 255];
const ROUNDS = Number(process.env['IMAGE_FUZZ_ROUNDS'] ?? 500);

test('whatever stands in a file with right checksums: it is refused or answered with, and nothing breaks', async (t) => {
  const path = await sample(t);
  const sound = readFileSync(path);
  const block = Uint8Array.from(sound.subarray(HEADER + BLOCK_HEAD, sound.length - 32));
  const random = new Random(Number(process.env['IMAGE_FUZZ_SEED'] ?? 20));
  const seen = { loaded: 0, invalid: 0, corrupt: 0 };
  for (let i = 0; i < ROUNDS; i++) {
    const changed = i % 4 === 0 ? mutate([block], random) : mutateFields(block, random);
    const padded = Buffer.concat([changed, Buffer.alloc((8 - (changed.length % 8)) % 8)]);
    const octets = Buffer.concat([sound.subarray(0, HEADER + BLOCK_HEAD), padded, sound.subarray(-32)]);
    seal(octets);
    writeFileSync(path, octets);
    const loaded = await loadAndAsk(path);
    if (loaded === undefined) seen.corrupt++;
    else if (loaded.invalid > 0) seen.invalid++;
    else seen.loaded++;
  }
  for (const count of Object.values(seen)) assert.ok(count > ROUNDS / 50, JSON.stringify(seen));
});

/** What is there is answered with, live and stale, as a message that can be read. Undefined: it was refused. */
async function loadAndAsk(path: string): Promise<LoadedImage | undefined> {
  const house = new ImageHouse({ bytes: 1 << 20 });
  const loaded = await house.load(path).catch((error) => {
    assert.equal(error.code, 'ERR_IMAGE_CORRUPT');
    return undefined;
  });
  for (const name of NAMES) for (const type of ['A', 'AAAA', 'TXT']) house.cached(name, type);
  house.house.pass(61_000);
  for (const name of NAMES) house.cached(name);
  return loaded;
}

test('no life is longer than the zone lets it be, whatever a file says', async (t) => {
  const path = await sample(t);
  damage(path, (octets) => {
    for (let at = HEADER + BLOCK_HEAD; at < octets.length - 32; at += octets.readUInt32LE(at)) {
      if (octets.readUInt32LE(at + 4) !== 0) continue;
      octets.writeDoubleLE(1e12, at + 8);
      octets.writeUInt32LE(0xffff_ffff, at + 24);
    }
    seal(octets);
    return octets;
  });
  const house = new ImageHouse();
  assert.equal((await house.load(path)).entries, 4);
  assert.equal(house.cached(NAMES[1]!), '0a000001 30');
  house.house.pass(30_000);
  assert.equal(house.cached(NAMES[1]!), '0a000001 5', 'stale');
  house.house.pass(3_600_000);
  assert.equal(house.cached(NAMES[0]!), '0a000003 30', 'stale');
});
