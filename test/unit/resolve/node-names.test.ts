import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../client/message.ts';
import { House } from './house.ts';

const NXDOMAIN = 3;
const ABSENT = {
  type: 'SOA',
  name: '.',
  ttl: 30,
  data: { mname: 'a.root', rname: 'b.root', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 30 },
} as const;

type Nodes = Record<string, readonly string[] | undefined>;

async function change(house: House, nodes: Nodes): Promise<void> {
  house.nodeNames.change(new Map(Object.entries(nodes)));
  await inForce();
}

/** Each turn takes a step at least, of a name or two. */
async function inForce(): Promise<void> {
  for (let turns = 0; turns < 200; turns++) await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A house with these nodes: the name of each, and its addresses. */
async function houseWith(nodes: Nodes, ...options: ConstructorParameters<typeof House>) {
  const house = new House(...options);
  await change(house, nodes);
  return house;
}

function texts({ answers }: Message): string[] {
  return answers.map(({ type, ttl, data }) => `${type} ${ttl} ${data}`);
}

const A = 1;
const AAAA = 28;
const PTR = 12;

/** What the house says itself; it must not ask. */
function say(house: House, name: string, type = 'A'): string[] {
  const { reply } = house.ask({ name, type });
  assert.equal(reply.rcode, 0, `${name} ${type}`);
  return texts(reply);
}

/** That the house asks upstream for it. */
function asks(house: House, name: string, type = 'A'): void {
  const before = house.outside.asked.length;
  house.ask({ name, type });
  assert.equal(house.outside.asked.length, before + 1, `${name} ${type}`);
}

test("a node's name and its first label lead to its addresses, in any case, with a TTL of 10", async () => {
  const house = await houseWith({ 'node-1.example.test': ['10.0.0.1', '10.0.0.2', 'fd00::1'] });
  for (const name of ['node-1.example.test', 'NODE-1.Example.test', 'node-1', 'Node-1']) {
    assert.deepEqual(say(house, name).toSorted(), [`${A} 10 0a000001`, `${A} 10 0a000002`]);
    assert.deepEqual(say(house, name, 'AAAA'), [`${AAAA} 10 fd000000000000000000000000000001`]);
  }
  assert.equal(house.nodeNames.answers, 8);
  assert.equal(house.cache.size, 0, 'nothing is kept');
});

test('addresses take turns', async () => {
  const house = await houseWith({ 'node-1': ['10.0.0.1', '10.0.0.2'] });
  assert.notDeepEqual(say(house, 'node-1'), say(house, 'node-1'));
});

test('the other family, and every other type, is NODATA', async () => {
  const house = await houseWith({ 'node-1': ['10.0.0.1'] });
  for (const type of ['AAAA', 'TXT', 'MX', 'SRV', 'PTR']) {
    const { reply } = house.ask({ name: 'node-1', type });
    assert.deepEqual([reply.rcode, reply.answers.length, reply.authorities.length], [0, 0, 1], type);
    assert.equal(reply.authorities[0]!.ttl, 10);
  }
});

test("addresses lead back to the node's full name", async () => {
  const house = await houseWith({ 'node-1.example.test': ['10.0.0.1', 'fd00::1'], 'node-2': ['10.0.0.2'] });
  const name = Buffer.from('\x06node-1\x07example\x04test\0', 'latin1').toString('hex');
  assert.deepEqual(say(house, '1.0.0.10.in-addr.arpa', 'PTR'), [`${PTR} 10 ${name}`]);
  const six = `1.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`;
  assert.deepEqual(say(house, six, 'PTR'), [`${PTR} 10 ${name}`]);
  assert.deepEqual(say(house, '1.0.0.10.in-addr.arpa', 'A'), []);
  asks(house, '3.0.0.10.in-addr.arpa', 'PTR');
});

test('an address that two nodes claim leads to both', async () => {
  const house = await houseWith({ a: ['10.0.0.1'], b: ['10.0.0.1'] });
  assert.equal(say(house, '1.0.0.10.in-addr.arpa', 'PTR').length, 2);
  await change(house, { a: undefined });
  assert.deepEqual(say(house, '1.0.0.10.in-addr.arpa', 'PTR'), [`${PTR} 10 ${Buffer.from('\x01b\0').toString('hex')}`]);
});

test("a first label that two nodes have is nobody's, until one of them is gone", async () => {
  const house = await houseWith({ 'a.one.test': ['10.0.0.1'], 'a.two.test': ['10.0.0.2'] });
  asks(house, 'a');
  assert.deepEqual(say(house, 'a.two.test'), [`${A} 10 0a000002`]);
  await change(house, { 'a.one.test': undefined });
  assert.deepEqual(say(house, 'a'), [`${A} 10 0a000002`]);
  asks(house, 'a.one.test');
});

test('a node whose whole name is the first label of another has it', async () => {
  const house = await houseWith({ 'a.one.test': ['10.0.0.1'], a: ['10.0.0.2'] });
  assert.deepEqual(say(house, 'a'), [`${A} 10 0a000002`]);
  assert.deepEqual(say(house, 'a.one.test'), [`${A} 10 0a000001`]);
});

test('names below a node, and above it, are not its own', async () => {
  const house = await houseWith({ 'node-1.example.test': ['10.0.0.1'] });
  for (const name of ['x.node-1.example.test', 'example.test', 'x.node-1', 'node-10']) asks(house, name);
});

test('a node that is called by an address or a number has no name', async () => {
  const house = await houseWith({ '10.0.0.1': ['10.0.0.1'], '17.example.test': ['10.0.0.2'] });
  asks(house, '10.0.0.1');
  asks(house, '10');
  asks(house, '17');
  asks(house, '1.0.0.10.in-addr.arpa', 'PTR');
  assert.deepEqual(say(house, '17.example.test'), [`${A} 10 0a000002`]);
});

test('a node that is called like the reverse of an address, a Service, or no host, hides nothing', async () => {
  const names = ['3.0.0.10.in-addr.arpa', 'in-addr.arpa', 'arpa', 'svc', 'web.shop.svc', 'a\\.b', 'a..b', '', '*.test'];
  const house = await houseWith({
    ...Object.fromEntries(names.map((name) => [name, ['10.0.0.1']])),
    'node-1': ['10.0.0.2'],
  });
  assert.equal(house.nodeNames.size, 1);
  asks(house, '3.0.0.10.in-addr.arpa', 'PTR');
  asks(house, 'in-addr.arpa', 'NS');
  asks(house, 'web.shop.svc');
  assert.deepEqual(say(house, 'node-1'), [`${A} 10 0a000002`]);
});

test('a node that is called localhost is not this host', async () => {
  const house = await houseWith({ localhost: ['10.0.0.1'], 'localhost.example.test': ['10.0.0.2', '127.0.0.1'] });
  assert.match(say(house, 'localhost').join(), / 7f000001$/);
  assert.match(say(house, '1.0.0.127.in-addr.arpa', 'PTR').join(), / 096c6f63616c686f737400$/);
});

test('a node that says it has ten thousand addresses gets as many as there is room for, as does an address that all nodes say they have', async () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.1`);
  const all = Array.from({ length: 2500 }, (_, i): [string, string[]] => [
    `node-${i}.a-long-domain.example.test`,
    ['10.0.2.15'],
  ]);
  const house = await houseWith({ 'node-1': many, ...Object.fromEntries(all) });
  for (let turns = 0; turns < 100_000 && house.nodeNames.size <= all.length; turns++) await turn();
  for (let turns = 0; turns < 10_000; turns++) await turn();
  assert.equal(say(house, 'node-1').length, 16);
  asks(house, '1.255.0.10.in-addr.arpa', 'PTR');
  const { reply } = house.ask({ name: '15.2.0.10.in-addr.arpa', type: 'PTR', udpSize: 4096 });
  assert.deepEqual([reply.rcode, reply.answers.length], [0, 16]);
});

test('a change is seen by the next question', async () => {
  const house = await houseWith({ 'node-1': ['10.0.0.1'] });
  assert.deepEqual(say(house, 'node-1'), [`${A} 10 0a000001`]);
  await change(house, { 'node-1': ['10.0.0.9'] });
  assert.deepEqual(say(house, 'node-1'), [`${A} 10 0a000009`]);
  assert.equal(say(house, '9.0.0.10.in-addr.arpa', 'PTR').length, 1);
  asks(house, '1.0.0.10.in-addr.arpa', 'PTR');
  await change(house, { 'node-1': undefined });
  asks(house, 'node-1');
  assert.equal(house.nodeNames.size, 0);
});

test("what was kept of a name that becomes a node's is dropped, and what is being asked is not kept", async () => {
  const house = new House();
  for (const name of ['node-1', 'node-1.example.test', 'other']) {
    house.ask({ name, type: 'A' });
    house.outside.answer({ flags: NXDOMAIN, authorities: [ABSENT] });
  }
  house.ask({ name: '1.0.0.10.in-addr.arpa', type: 'PTR' });
  house.outside.answer({ flags: NXDOMAIN, authorities: [ABSENT] });
  const asking = house.ask({ name: 'node-2', type: 'A' });
  await change(house, { 'node-1.example.test': ['10.0.0.1'], 'node-2': ['10.0.0.2'] });
  assert.deepEqual(say(house, 'node-1'), [`${A} 10 0a000001`]);
  assert.deepEqual(say(house, 'node-1.example.test'), [`${A} 10 0a000001`]);
  assert.equal(say(house, '1.0.0.10.in-addr.arpa', 'PTR').length, 1);
  assert.equal(house.ask({ name: 'other', type: 'A' }).reply.rcode, NXDOMAIN);
  house.outside.answer({ flags: NXDOMAIN, authorities: [ABSENT] });
  assert.equal(asking.reply.rcode, NXDOMAIN);
  assert.deepEqual(say(house, 'node-2'), [`${A} 10 0a000002`]);
});

test('a snapshot that is put in behind can be cleaned of them', async () => {
  const house = await houseWith({ 'node-1': ['10.0.0.1'] });
  await change(house, { 'node-1': undefined });
  house.ask({ name: 'node-1', type: 'A' });
  house.outside.answer({ flags: NXDOMAIN, authorities: [ABSENT] });
  await change(house, { 'node-1': ['10.0.0.1'] });
  house.nodeNames.dropAll();
  await inForce();
  assert.deepEqual(say(house, 'node-1'), [`${A} 10 0a000001`]);
});

test('a zone of the configuration, its hosts, and the cluster have their names to themselves', async () => {
  const more = [{ zone: 'example.test.' }];
  const outside = { hosts: [{ address: '192.0.2.7', names: ['node-3.'] }], refuse: ['node-4.'] };
  const nodes = Object.fromEntries(
    ['node-1.example.test', 'node-2.cluster.local', 'node-3', 'node-4'].map((name) => [name, ['10.0.0.1']]),
  );
  const house = await houseWith(nodes, 2 << 20, { more, outside });
  asks(house, 'node-1.example.test');
  assert.deepEqual(say(house, 'node-1'), [`${A} 10 0a000001`]);
  house.ask({ name: 'node-2.cluster.local', type: 'A' });
  assert.equal(house.cluster.asked.length, 1);
  assert.deepEqual(say(house, 'node-3'), [`${A} 30 c0000207`]);
  assert.equal(house.ask({ name: 'node-4', type: 'A' }).reply.rcode, 5);
});

test('who checks signatures gets what the world says', async () => {
  const house = await houseWith({ 'node-1': ['10.0.0.1'] });
  house.ask({ name: 'node-1', type: 'A', dnssecOk: true, flags: 0x0110 });
  assert.equal(house.outside.asked.length, 1);
  assert.deepEqual(say(house, 'node-1'), [`${A} 10 0a000001`]);
});

test('an alias may lead to a node', async () => {
  const house = await houseWith({ 'node-1': ['10.0.0.1'] }, 2 << 20, {
    outside: { aliases: [{ from: 'gate.test.', to: 'node-1.' }] },
  });
  const client = house.ask({ name: 'gate.test', type: 'A' });
  // Aliases are begun and ended in turns of their own.
  for (let i = 0; i < 3; i++) await turn();
  assert.equal(client.reply.answers.at(-1)!.data, '0a000001');
});

test('ten thousand nodes do not hold up the loop, and what changes meanwhile counts', async () => {
  const nodes = Array.from({ length: 10_000 }, (_, i): [string, string[]] => [
    `node-${i}.example.test`,
    [`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`],
  ]);
  const house = new House();
  let turns = 0;
  house.nodeNames.change(new Map(nodes));
  house.nodeNames.change(new Map([['node-9999.example.test', ['10.9.9.9']]]));
  house.nodeNames.change(new Map([['node-1.example.test', undefined]]));
  for (; turns < 100_000 && house.ask({ name: 'node-9999', type: 'A' }).replies.length === 0; turns++) {
    await turn();
  }
  assert.ok(turns > 10, `${turns}`);
  while (house.nodeNames.size > 9_999) await turn();
  await turn();
  assert.deepEqual(say(house, 'node-9999'), [`${A} 10 0a090909`]);
  asks(house, 'node-1');
});
