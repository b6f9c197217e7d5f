import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, setUp, until, zone } from './asking.ts';
import { answerAll, answerTo, type Received, ScriptedServer } from './scripted-server.ts';

const tcp = ({ address }: ScriptedServer) => ({ ...address, transport: 'tcp' }) as const;

async function servers(count: number): Promise<ScriptedServer[]> {
  return Promise.all(Array.from({ length: count }, () => ScriptedServer.start(answerAll)));
}

test('a zone that is redirected asks the first rank, keeps its forwarder, and goes back to what its configuration says', async (t) => {
  const [service, pod, far] = await servers(3);
  const { upstreams } = setUp([]);
  t.after(() => [upstreams.close(), service!.close(), pod!.close(), far!.close()]);
  const zones = [zone('a.test.', [service!.address]), zone('.', [service!.address])];
  const forwarder = upstreams.apply(zones).get('a.test.')!;
  upstreams.redirect(new Map([['a.test.', [[tcp(pod!)], [tcp(far!)], [tcp(service!)]]]]));
  for (let i = 0; i < 20; i++) assert.equal((await ask(forwarder, `n${i}.a.test`)).rcode, 0);
  assert.deepEqual([pod!.received.length, far!.received.length, service!.received.length], [20, 0, 0]);
  assert.equal(upstreams.apply(zones.map((each) => ({ ...each }))).get('a.test.'), forwarder);
  assert.equal((await ask(forwarder, 'm.a.test')).rcode, 0);
  assert.deepEqual([pod!.received.length, pod!.connections], [21, 1]);
  upstreams.redirect(new Map());
  assert.equal((await ask(forwarder, 'o.a.test')).rcode, 0);
  assert.equal(service!.received.length, 1);
  assert.deepEqual(
    [...upstreams.list()].map(({ address }) => address.port),
    [service!.port],
  );
});

test('one that leaves answers what it was asked, gets nothing new, and is closed', async (t) => {
  for (const transport of ['tcp', 'udp'] as const) {
    const held: Received[] = [];
    const leaving = await ScriptedServer.start((received) => held.push(received));
    const [service, staying] = await servers(2);
    const address = (server: ScriptedServer) => ({ ...server.address, transport });
    const { upstreams, forwarder } = setUp([service!.address], { transport });
    t.after(() => [upstreams.close(), leaving.close(), service!.close(), staying!.close()]);
    upstreams.redirect(new Map([['.', [[address(leaving)], [address(service!)]]]]));
    const first = [...upstreams.list()].find(({ address: { port } }) => port === leaving.port)!;
    const outcome = ask(forwarder, 'n.test');
    await until('it was asked', () => held.length > 0);
    upstreams.redirect(new Map([['.', [[address(staying!)], [address(service!)]]]]));
    for (let i = 0; i < 10; i++) assert.equal((await ask(forwarder, `n${i}.test`)).rcode, 0);
    assert.equal(held.length, 1);
    for (const { query, reply } of held) reply(answerTo(query));
    assert.equal((await outcome).rcode, 0);
    assert.equal(staying!.received.length, 10);
    await until('it is closed', () => !first.isOpen);
  }
});

test('one that another zone asks as well stays', async (t) => {
  const [service, pod] = await servers(2);
  const { upstreams } = setUp([]);
  t.after(() => [upstreams.close(), service!.close(), pod!.close()]);
  const forwarders = upstreams.apply([zone('a.test.', [service!.address]), zone('.', [pod!.address])]);
  upstreams.redirect(new Map([['a.test.', [[tcp(pod!)]]]]));
  assert.equal([...upstreams.list()].length, 1);
  upstreams.redirect(new Map());
  for (const forwarder of forwarders.values()) assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
  assert.deepEqual([service!.received.length, pod!.received.length], [1, 1]);
});

test('a server that is silent is passed over for one of a later rank', async (t) => {
  const silent = await ScriptedServer.start(() => {});
  const [service] = await servers(1);
  const { upstreams, forwarder } = setUp([service!.address], { tryMs: 200 });
  t.after(() => [upstreams.close(), silent.close(), service!.close()]);
  upstreams.redirect(new Map([['.', [[tcp(silent)], [tcp(service!)]]]]));
  for (let i = 0; i < 5; i++) assert.equal((await ask(forwarder, `n${i}.test`)).rcode, 0);
  assert.ok(service!.received.length >= 5);
});

test('a zone whose configuration changes is asked as that says until it is redirected again', async (t) => {
  const [service, other, pod] = await servers(3);
  const { upstreams } = setUp([service!.address]);
  t.after(() => [upstreams.close(), service!.close(), other!.close(), pod!.close()]);
  upstreams.redirect(new Map([['.', [[tcp(pod!)], [tcp(service!)]]]]));
  const forwarder = upstreams.apply([zone('.', [other!.address])]).get('.')!;
  await ask(forwarder, 'n.test');
  assert.deepEqual([other!.received.length, pod!.received.length], [1, 0]);
  upstreams.redirect(new Map([['.', [[tcp(pod!)], [tcp(other!)]]]]));
  await ask(forwarder, 'm.test');
  assert.deepEqual([other!.received.length, pod!.received.length], [1, 1]);
  upstreams.redirect(new Map([['gone.test.', [[tcp(pod!)]]]]));
  await ask(forwarder, 'o.test');
  assert.equal(other!.received.length, 2);
});
