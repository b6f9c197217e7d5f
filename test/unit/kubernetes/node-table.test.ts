import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { monotonicClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { ApiClient } from '../../../src/kubernetes/api-client.ts';
import { NodeTable } from '../../../src/kubernetes/node-table.ts';
import { Nodes } from '../../../src/kubernetes/nodes.ts';
import { type Script, type ScriptedAnswer, ScriptedApi } from '../../servers/scripted-api.ts';

const COLUMNS = ['Name', 'Status', 'Internal-IP', 'External-IP'].map((name) => ({ name, type: 'string', priority: 0 }));

const table = (name: string, inner: string, outer = '<none>', columnDefinitions: object[] | null = null) => ({
  kind: 'Table',
  metadata: { resourceVersion: '7' },
  columnDefinitions,
  rows: [{ cells: [name, 'Ready', inner, outer], object: null }],
});

test('of a watch the first table has the columns, and all others are read by them', () => {
  const nodes = new NodeTable();
  const read = (value: unknown) => {
    const { metadata, status } = nodes.read(value)!;
    return [
      metadata.name,
      metadata.resourceVersion,
      ...status!.addresses!.map(({ type, address }) => `${type} ${address}`),
    ];
  };
  assert.deepEqual(read(table('a', '10.0.0.1', '<none>', COLUMNS)), [
    'a',
    '7',
    'InternalIP 10.0.0.1',
    'ExternalIP <none>',
  ]);
  assert.deepEqual(read(table('b', '10.0.0.2', '192.0.2.1')), [
    'b',
    '7',
    'InternalIP 10.0.0.2',
    'ExternalIP 192.0.2.1',
  ]);
});

test('a bookmark keeps its annotations', () => {
  const metadata = { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } };
  const bookmark = {
    metadata: { resourceVersion: '9' },
    rows: [{ cells: ['', 'Unknown', '', ''], object: { metadata } }],
  };
  assert.deepEqual(new NodeTable().read(bookmark)!.metadata, { ...metadata, name: '' });
});

test('of a list columns and rows come one by one, and each list begins anew', () => {
  const nodes = new NodeTable();
  for (let list = 0; list < 2; list++) {
    for (const column of COLUMNS) assert.equal(nodes.read(column), undefined);
    const node = nodes.read({ cells: ['a', 'Ready', '10.0.0.1', '<none>'], object: null })!;
    assert.equal(node.metadata.name, 'a');
    assert.equal(node.status!.addresses![0]!.address, '10.0.0.1');
  }
});

test('a table with other columns has no addresses, which is told', () => {
  const nodes = new NodeTable();
  assert.equal(nodes.read(table('a', '10.0.0.1', '', [{ name: 'Name' }, { name: 'Age' }]))!.status, undefined);
});

const whole = (name: string, ...addresses: string[]) => ({
  metadata: { name, namespace: '', resourceVersion: '5' },
  status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
});

/** What becomes known of nodes, told one after the other, and how the API was asked: `table` or `whole`. */
async function follow(t: TestContext, script: Script) {
  const api = await ScriptedApi.open(script);
  const client = new ApiClient({
    server: api.url,
    origin: 'a test',
    credentials: async () => ({ token: 'x' }),
  } as ConstructorParameters<typeof ApiClient>[0]);
  const told: Record<string, unknown>[] = [];
  const nodes = new Nodes({ client, clock: monotonicClock, log: silentLogger }, 'a', {
    change: (changes) => told.push(Object.fromEntries(changes)),
  });
  t.after(async () => {
    nodes.close();
    await client.close();
    await api.close();
  });
  nodes.start();
  for (let tries = 0; told.length === 0; tries++) {
    if (tries > 1000) assert.fail('nothing was told');
    await sleep(5);
  }
  const asked = api.requests.map(({ headers }) => (/as=Table/.test(headers.accept ?? '') ? 'table' : 'whole'));
  return { told, asked, nodes };
}

const END = { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } };
const END_OF_TABLES = {
  metadata: { resourceVersion: '9' },
  rows: [{ cells: ['', '', '', ''], object: { metadata: END } }],
};

test('where this node has one address, tables tell all there is to know', async (t) => {
  const { told, asked, nodes } = await follow(t, ({ query }, answer) => {
    if (query.has('fieldSelector')) return answer.object({ items: [whole('a', '10.0.0.1')] });
    answer.event('ADDED', table('a', '10.0.0.1', '<none>', COLUMNS)).event('ADDED', table('b', '10.0.0.2'));
    answer.event('BOOKMARK', END_OF_TABLES).event('MODIFIED', table('b', '10.0.0.2'));
  });
  assert.deepEqual(told, [{ a: ['10.0.0.1'], b: ['10.0.0.2'] }]);
  assert.deepEqual(asked, ['table', 'whole']);
  assert.deepEqual(nodes.state, { warning: false, message: 'followed: 2 nodes' });
});

test('where this node has addresses of two families all nodes are asked for whole, and none is told of by half', async (t) => {
  const { told, asked } = await follow(t, ({ query, headers }, answer) => {
    if (query.has('fieldSelector')) return answer.object({ items: [whole('a', '10.0.0.1', 'fd00::1')] });
    if (/as=Table/.test(headers.accept ?? '')) {
      answer.event('ADDED', table('a', '10.0.0.1', '<none>', COLUMNS)).event('BOOKMARK', END_OF_TABLES);
    } else {
      answer.initial('9', [whole('a', '10.0.0.1', 'fd00::1'), whole('b', '10.0.0.2', 'fd00::2')]);
    }
  });
  assert.deepEqual(told.at(-1), { b: ['10.0.0.2', 'fd00::2'], a: ['10.0.0.1', 'fd00::1'] });
  assert.equal(told.length, 1);
  assert.deepEqual(asked, ['table', 'whole', 'whole']);
});

test('where this node comes to have a second address all nodes are asked for whole from then on', async (t) => {
  let addresses = ['10.0.0.1'];
  let tables: ScriptedAnswer | undefined;
  const { told } = await follow(t, ({ query, headers }, answer) => {
    if (query.has('fieldSelector')) return answer.object({ items: [whole('a', ...addresses)] });
    if (!/as=Table/.test(headers.accept ?? '')) return void answer.initial('10', [whole('a', ...addresses)]);
    tables = answer;
    answer.event('ADDED', table('a', '10.0.0.1', '<none>', COLUMNS)).event('BOOKMARK', END_OF_TABLES);
  });
  addresses = ['10.0.0.9', 'fd00::9'];
  tables!.event('MODIFIED', table('a', '10.0.0.9'));
  for (let tries = 0; !isDeepStrictEqual(told.at(-1), { a: addresses }); tries++) {
    if (tries > 1000) assert.fail(JSON.stringify(told));
    await sleep(5);
  }
});

test('where tables have other columns all nodes are asked for whole', async (t) => {
  const { told } = await follow(t, ({ query, headers }, answer) => {
    if (query.has('fieldSelector')) return answer.object({ items: [whole('a', '10.0.0.1')] });
    if (/as=Table/.test(headers.accept ?? '')) {
      answer.event('ADDED', table('a', '', '', [{ name: 'Name' }])).event('BOOKMARK', END_OF_TABLES);
    } else {
      answer.initial('9', [whole('a', '10.0.0.1')]);
    }
  });
  assert.deepEqual(told, [{ a: ['10.0.0.1'] }]);
});

test('where this node cannot be looked at, what tables tell counts', async (t) => {
  const { told } = await follow(t, ({ query }, answer) => {
    if (query.has('fieldSelector')) return answer.refuse(403);
    answer.event('ADDED', table('a', '10.0.0.1', '<none>', COLUMNS)).event('BOOKMARK', END_OF_TABLES);
  });
  assert.deepEqual(told, [{ a: ['10.0.0.1'] }]);
});
