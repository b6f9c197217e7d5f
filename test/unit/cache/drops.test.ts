import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerCache } from '../../../src/cache/answer-cache.ts';
import { AnswerDraft } from '../../../src/cache/answer-draft.ts';
import { KIND_FAILURE, KIND_NEGATIVE, KIND_POSITIVE } from '../../../src/cache/entry-memory.ts';
import { DROPPED_ZONES } from '../../../src/core/limits.ts';
import { isWithin, nameFromText } from '../../../src/wire/name.ts';
import { QueryView } from '../../../src/wire/query.ts';
import { encodeQuestion } from '../../client/message.ts';

const NOW_MS = 1000;
const query = new QueryView(5);
const draft = new AnswerDraft();

function read(name: string, type = 'A'): QueryView {
  const bytes = encodeQuestion({ name, type });
  query.read(bytes, 0, bytes.length);
  return query;
}

function store(cache: AnswerCache, name: string, kind = KIND_POSITIVE, type = 'A', bodyLength = 40): void {
  draft.kind = kind;
  draft.isForName = kind === KIND_NEGATIVE;
  draft.seconds = 60;
  draft.message = new Uint8Array(bodyLength);
  draft.bodyStart = 0;
  draft.bodyEnd = bodyLength;
  assert.notEqual(cache.store(read(name, type), draft, NOW_MS), -1);
}

function has(cache: AnswerCache, name: string, type = 'A'): boolean {
  return cache.findFresh(read(name, type), NOW_MS) !== -1;
}

function drop(cache: AnswerCache, zone: string): number {
  return cache.dropBelow(nameFromText(zone)!);
}

/** More than one stretch of the walk looks at. */
function fill(cache: AnswerCache, count: number, zone: string): void {
  for (let i = 0; i < count; i++) store(cache, `host-${i}.${zone}`, KIND_POSITIVE, 'A', 200);
}

function walkIsOver(cache: AnswerCache, size: number): Promise<void> {
  return new Promise((resolve) => {
    const look = () => (cache.size === size ? resolve() : setTimeout(look, 1));
    look();
  });
}

test('what is dropped is at the zone or below it, label by label and whatever the case', () => {
  const cache = new AnswerCache({ bytes: 2 << 20 });
  const below = ['corp.example.', 'CORP.example.', 'www.corp.example.', 'a.b.c.Corp.Example.'];
  const beside = ['evil-corp.example.', 'example.', 'corp.example.org.', 'corp.examples.', 'xcorp.example.', '.'];
  for (const name of [...below, ...beside]) store(cache, name);
  assert.equal(drop(cache, 'corp.EXAMPLE.'), 3);
  for (const name of below) assert.equal(has(cache, name), false, name);
  for (const name of beside) assert.equal(has(cache, name), true, name);
  assert.equal(cache.size, beside.length);
});

test('every kind of entry goes: answers, what does not exist, and failures', () => {
  const cache = new AnswerCache({ bytes: 2 << 20 });
  store(cache, 'there.corp.example.', KIND_POSITIVE, 'TXT');
  store(cache, 'absent.corp.example.', KIND_NEGATIVE);
  store(cache, 'broken.corp.example.', KIND_FAILURE);
  assert.equal(drop(cache, 'corp.example.'), 3);
  assert.equal(has(cache, 'there.corp.example.', 'TXT'), false);
  assert.equal(has(cache, 'absent.corp.example.', 'MX'), false);
  assert.equal(has(cache, 'broken.corp.example.'), false);
  assert.equal(cache.denials, 0);
});

test('the root drops everything, and a zone without entries nothing', () => {
  const cache = new AnswerCache({ bytes: 2 << 20 });
  store(cache, 'www.example.');
  store(cache, 'www.test.');
  assert.equal(drop(cache, 'nothing.here.'), 0);
  assert.equal(drop(cache, '.'), 2);
  assert.equal(cache.size, 0);
});

test('in a large cache nothing of the zone is found from the call on, although the walk is not over', async () => {
  const cache = new AnswerCache({ bytes: 8 << 20 });
  fill(cache, 9000, 'corp.example.');
  fill(cache, 9000, 'other.example.');
  assert.ok(drop(cache, 'corp.example.') < 9000);
  for (let i = 0; i < 9000; i += 7) assert.equal(has(cache, `host-${i}.corp.example.`), false);
  for (let i = 0; i < 9000; i += 7) assert.equal(has(cache, `host-${i}.other.example.`), true);
  await walkIsOver(cache, 9000);
  assert.equal(cache.dropped, 9000);
});

test('an answer that was stored after the drop stays, also while the walk is on', async () => {
  const cache = new AnswerCache({ bytes: 8 << 20 });
  fill(cache, 18_000, 'corp.example.');
  drop(cache, 'corp.example.');
  store(cache, 'host-17000.corp.example.');
  store(cache, 'new.corp.example.');
  await walkIsOver(cache, 2);
  assert.equal(has(cache, 'host-17000.corp.example.'), true);
  assert.equal(has(cache, 'new.corp.example.'), true);
  drop(cache, 'corp.example.');
  assert.equal(has(cache, 'new.corp.example.'), false);
});

test('an expired answer of a dropped zone bridges no silent upstream', () => {
  const cache = new AnswerCache({ bytes: 8 << 20 });
  fill(cache, 18_000, 'corp.example.');
  drop(cache, 'corp.example.');
  assert.equal(cache.findExpired(read('host-17999.corp.example.'), NOW_MS + 61_000, 3600), -1);
  assert.equal(cache.postpone(read('host-17999.corp.example.'), NOW_MS, NOW_MS + 1000, 3600, true), false);
});

test('more zones than are walked for at one time are all dropped', async () => {
  const cache = new AnswerCache({ bytes: 16 << 20 });
  fill(cache, 30_000, 'kept.example.');
  for (let zone = 0; zone < 40; zone++) store(cache, `www.zone-${zone}.example.`);
  const { hits } = DROPPED_ZONES;
  for (let zone = 0; zone < 40; zone++) {
    drop(cache, `zone-${zone}.example.`);
    assert.equal(has(cache, `www.zone-${zone}.example.`), false);
  }
  assert.ok(DROPPED_ZONES.hits > hits);
  await walkIsOver(cache, 30_000);
  assert.equal(cache.dropped, 40);
});

test('entries outlive more drops than a generation has numbers, and are dropped after them', () => {
  const cache = new AnswerCache({ bytes: 2 << 20 });
  store(cache, 'www.kept.example.');
  for (let i = 0; i < 70_000; i++) {
    if (i % 1000 === 0) store(cache, 'www.corp.example.');
    drop(cache, 'corp.example.');
  }
  assert.equal(has(cache, 'www.corp.example.'), false);
  assert.equal(has(cache, 'www.kept.example.'), true);
  assert.equal(drop(cache, 'kept.example.'), 1);
});

test('entries that move to a page that the walk has passed are dropped all the same', async () => {
  const cache = new AnswerCache({ bytes: 4 << 20 });
  fill(cache, 9000, 'corp.example.');
  drop(cache, 'corp.example.');
  // Longer answers need pages of another size, so that some are emptied while the walk is on.
  for (let i = 0; i < 300; i++) store(cache, `long-${i}.other.example.`, KIND_POSITIVE, 'A', 4000);
  const others = () =>
    Array.from({ length: 300 }, (_, i) => has(cache, `long-${i}.other.example.`)).filter(Boolean).length;
  await walkIsOver(cache, others());
  for (let i = 0; i < 9000; i += 11) assert.equal(has(cache, `host-${i}.corp.example.`), false);
});

test('what a test means is dropped, and a later test takes the place of one whose walk is not over', async () => {
  const cache = new AnswerCache({ bytes: 8 << 20 });
  fill(cache, 9000, 'a.example.');
  fill(cache, 9000, 'b.example.');
  const [a, b] = ['a.example.', 'b.example.'].map((zone) => nameFromText(zone)!);
  cache.dropWhere((bytes, start, nameEnd) => isWithin(bytes, start, nameEnd, a!));
  assert.equal(has(cache, 'host-8999.a.example.'), false);
  assert.equal(has(cache, 'host-8999.b.example.'), true);
  assert.equal(cache.isTesting, true);
  cache.dropWhere(
    (bytes, start, nameEnd) => isWithin(bytes, start, nameEnd, a!) || isWithin(bytes, start, nameEnd, b!),
  );
  assert.equal(has(cache, 'host-8999.b.example.'), false);
  store(cache, 'new.b.example.');
  assert.equal(has(cache, 'new.b.example.'), true);
  await walkIsOver(cache, 1);
  while (cache.isTesting) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(has(cache, 'new.b.example.'), true);
});
