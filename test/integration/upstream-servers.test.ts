import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type CoreDns, startCoreDns } from '../servers/coredns.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';
import { ask, setUp, until } from '../unit/upstream/asking.ts';

const withoutNamed = skipWithout(...NAMED_PROGRAMS);
const withoutCoreDns = skipWithout('coredns');

let named: Named | undefined;
before(async () => {
  if (withoutNamed === false) named = await startNamed();
});
after(() => named?.stop());

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}.example.test`);

test('BIND answers thousands of pipelined questions over two connections', { skip: withoutNamed }, async (t) => {
  const { forwarder, first, upstreams } = setUp([named!], { timing: { calmMs: 50 } });
  t.after(() => upstreams.close());
  await ask(forwarder, 'example.test', { type: 'SOA' });
  for (let round = 0; round < 10; round++) {
    const outcomes = await Promise.all(names(300).map((name) => ask(forwarder, name)));
    assert.ok(outcomes.every(({ failure }) => failure === undefined));
  }
  // A machine that is busy may stall one for a moment.
  await until('two connections', () => first.stream.size <= 2);
  assert.equal(first.isDown, false);
  assert.ok(first.badReplies.every((count) => count === 0));
});

test('BIND tells how long it keeps a connection', { skip: withoutNamed }, async (t) => {
  const { forwarder, first, upstreams } = setUp([named!], { timing: { idleMs: 100, warmMs: 0 } });
  t.after(() => upstreams.close());
  await ask(forwarder, 'example.test', { type: 'SOA' });
  // Without its word (30 s) the connection would be closed after 100 ms.
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(first.stream.size, 1);
});

test('BIND killed and started again loses no question but those of the outage', { skip: withoutNamed }, async (t) => {
  for (const transport of ['tcp', 'udp'] as const) {
    const { forwarder, first, upstreams } = setUp([named!], { transport, tryMs: 300, totalMs: 900 });
    t.after(() => upstreams.close());
    assert.equal((await ask(forwarder, 'example.test', { type: 'SOA' })).rcode, 0);
    await named!.end();
    assert.notEqual((await ask(forwarder, 'example.test', { type: 'SOA' })).failure, undefined);
    await named!.restart();
    await until('it is up', () => !first.isDown);
    assert.equal((await ask(forwarder, 'example.test', { type: 'SOA' })).rcode, 0);
  }
});

test('CoreDNS, which answers a connection strictly in turn, answers a burst with nothing lost', {
  skip: withoutCoreDns,
}, async (t) => {
  const corefile = (port: number): string => `.:${port} {\n  bind 127.0.0.1\n  whoami\n}\n`;
  const server: CoreDns = await startCoreDns({ corefile, readyName: 'ready.test' });
  const { forwarder, first, upstreams } = setUp([server]);
  t.after(async () => {
    upstreams.close();
    await server.stop();
  });
  const outcomes = await Promise.all(names(500).map((name) => ask(forwarder, name)));
  assert.ok(outcomes.every(({ rcode }) => rcode === 0));
  await until('nothing in flight', () => first.inFlight === 0);
});
