import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FOLLOWED_OBJECTS } from '../../../src/core/limits.ts';
import type { ApiObject } from '../../../src/kubernetes/api-objects.ts';
import { ObjectLedger } from '../../../src/kubernetes/object-ledger.ts';

const OWNER = 'of';

function object(name: string, resourceVersion: string, owner = 'web', namespace = 'shop'): ApiObject {
  return { metadata: { name, namespace, resourceVersion, ...(owner && { labels: { [OWNER]: owner } }) } };
}

/** A ledger, and what it told since it was last asked. */
function ledger() {
  const told: string[] = [];
  const made = new ObjectLedger({
    ownerOf: ({ labels }) => labels?.[OWNER],
    onChange: (namespace, owner, change) => void told.push(`${change} ${namespace}/${owner}`),
  });
  const list = (...objects: ApiObject[]): void => {
    made.onListing();
    for (const each of objects) made.onObject(each);
    made.onListed();
  };
  return { ledger: made, list, told: () => told.splice(0) };
}

test('what was there when following began is listed, what comes later is new', () => {
  const { ledger: made, list, told } = ledger();
  list(object('a', '1'), object('b', '2', 'db'));
  assert.deepEqual(told(), ['listed shop/web', 'listed shop/db']);
  made.onObject(object('c', '3', 'api'));
  made.onObject(object('a', '4'));
  made.onDeleted(object('b', '5', 'db'));
  assert.deepEqual(told(), ['new shop/api', 'changed shop/web', 'gone shop/db']);
  assert.equal(made.size, 2);
});

test('a list after a break tells what changed meanwhile, and only that', () => {
  const { list, told } = ledger();
  list(object('same', '1', 'same'), object('other', '2', 'other'), object('gone', '3', 'gone'));
  told();
  list(object('same', '1', 'same'), object('other', '7', 'other'), object('new', '8', 'new'));
  assert.deepEqual(told(), ['changed shop/other', 'new shop/new', 'gone shop/gone']);
});

test('a version that goes back, as after a restored backup, is another one', () => {
  const { list, told } = ledger();
  list(object('a', '900'));
  told();
  list(object('a', '30'));
  assert.deepEqual(told(), ['changed shop/web']);
});

test('a list that breaks off makes nothing go, and the next one counts from its own beginning', () => {
  const { ledger: made, list, told } = ledger();
  list(object('a', '1', 'a'), object('b', '2', 'b'));
  told();
  made.onListing();
  made.onObject(object('a', '1', 'a'));
  assert.deepEqual(told(), []);
  list(object('b', '2', 'b'));
  assert.deepEqual(told(), ['gone shop/a']);
});

test("an object that changes hands concerns both, and one that is nobody's counts as gone", () => {
  const { ledger: made, list, told } = ledger();
  list(object('a', '1'));
  told();
  made.onObject(object('a', '2', 'db'));
  assert.deepEqual(told(), ['gone shop/web', 'new shop/db']);
  made.onObject(object('a', '3', ''));
  assert.deepEqual(told(), ['gone shop/db']);
  made.onObject(object('a', '4', ''));
  made.onDeleted(object('a', '5', ''));
  assert.deepEqual([told(), made.size], [[], 0]);
});

test('equal names in two namespaces are two objects', () => {
  const { ledger: made, list, told } = ledger();
  list(object('a', '1', 'web', 'shop'), object('a', '1', 'web', 'team'));
  told();
  made.onDeleted(object('a', '2', 'web', 'team'));
  assert.deepEqual([told(), made.size], [['gone team/web'], 1]);
});

test('objects beyond the limit are not kept: they count as changed too often, never too seldom', (t: TestContext) => {
  const { value, hits } = FOLLOWED_OBJECTS;
  FOLLOWED_OBJECTS.value = 1;
  t.after(() => {
    FOLLOWED_OBJECTS.value = value;
  });
  const { ledger: made, list, told } = ledger();
  list(object('a', '1', 'a'), object('b', '2', 'b'));
  told();
  list(object('a', '1', 'a'), object('b', '2', 'b'));
  made.onDeleted(object('b', '3', 'b'));
  assert.deepEqual(told(), ['new shop/b', 'gone shop/b']);
  assert.deepEqual([made.size, FOLLOWED_OBJECTS.hits - hits], [1, 2]);
});
