import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LIMITS, UPSTREAM_IN_FLIGHT } from '../../../src/core/limits.ts';
import { ask, type SetUp, type SetUpOptions, setUp, until } from './asking.ts';
import { answerAll, answerTo, framed, type Received, type Script, ScriptedServer } from './scripted-server.ts';

interface Scene extends SetUp {
  readonly server: ScriptedServer;
}

async function scene(t: TestContext, script: Script, options: SetUpOptions = {}): Promise<Scene> {
  const server = await ScriptedServer.start(script);
  const made = setUp([server.address], options);
  t.after(async () => {
    made.upstreams.close();
    await server.close();
  });
  return { ...made, server };
}

/** Answers a connection's questions strictly in turn, as CoreDNS does; a question that begins with `slow` takes `slowMs`. */
function serial(slowMs: number): Script {
  const queues = new Map<number, Promise<void>>();
  return ({ label, query, reply, overTcp, connection }) => {
    const answer = async (): Promise<void> => {
      if (label.startsWith('slow')) await new Promise((resolve) => setTimeout(resolve, slowMs));
      reply(answerTo(query));
    };
    if (overTcp) queues.set(connection, (queues.get(connection) ?? Promise.resolve()).then(answer));
    else void answer();
  };
}

const names = (count: number, prefix = 'n'): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}.test`);

test('replies that come in any order find their questions', async (t) => {
  const held: Received[] = [];
  const { forwarder, server, first } = await scene(t, (received) => {
    held.push(received);
    if (held.length < 50) return;
    for (const { query, reply } of held.reverse()) reply(answerTo(query));
  });
  const outcomes = await Promise.all(names(50).map((name) => ask(forwarder, name)));
  for (const [i, { rcode, reply }] of outcomes.entries()) {
    assert.equal(rcode, 0);
    assert.equal(reply.toString('latin1', 13, 13 + reply[12]!), `n${i}`);
  }
  await until('nothing in flight', () => first.inFlight === 0);
  assert.ok(server.connections <= 8);
});

test('many questions at once take two connections', async (t) => {
  const { forwarder, server, first, wheel } = await scene(t, answerAll, { timing: { calmMs: 50 } });
  await ask(forwarder, 'first.test');
  for (let round = 0; round < 10; round++) {
    const outcomes = await Promise.all(names(100).map((name) => ask(forwarder, name)));
    assert.ok(outcomes.every(({ rcode }) => rcode === 0));
  }
  assert.ok(server.connections >= 2 && server.connections <= 8, `${server.connections} connections`);
  await until('nothing in flight', () => first.inFlight === 0);
  await until('two connections', () => first.stream.size <= 2);
  await until('no timer is left', () => wheel.size === 0);
});

test('replies in pieces of one byte are answers all the same', async (t) => {
  const { forwarder } = await scene(t, ({ query, raw }) => {
    const bytes = framed(answerTo(query));
    const step = (at: number): void => {
      if (at === bytes.length) return;
      raw(bytes.subarray(at, at + 1));
      setTimeout(step, 1, at + 1);
    };
    step(0);
  });
  assert.equal((await ask(forwarder, 'pieces.test')).rcode, 0);
});

test('a wrong id, a wrong question and garbage are counted, and the good reply still counts', async (t) => {
  const { forwarder, first } = await scene(t, ({ query, reply }) => {
    const good = answerTo(query);
    const wrongId = Buffer.from(good);
    wrongId[0]! ^= 0xff;
    const wrongQuestion = Buffer.from(good);
    wrongQuestion[13]! ^= 1;
    for (const message of [wrongId, wrongQuestion, Buffer.from('garbage'), Buffer.alloc(0), good]) reply(message);
  });
  assert.equal((await ask(forwarder, 'lies.test')).rcode, 0);
  assert.deepEqual([...first.badReplies], [2, 1, 1, 0]);
  assert.equal(first.inFlight, 0);
});

test('an upstream that closed its connection while idle costs the client nothing', async (t) => {
  const { forwarder, server, first } = await scene(t, answerAll);
  for (let round = 1; round <= 5; round++) {
    assert.equal((await ask(forwarder, `n${round}.test`)).rcode, 0);
    for (const socket of server.sockets) socket.end();
    await until('the connection is gone', () => first.stream.size === 0);
  }
  assert.equal(server.connections, 5);
  assert.equal(first.isDown, false);
  assert.equal(first.retries, 0);
});

test('what was asked while the server closed is asked again on a new connection', async (t) => {
  for (const end of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const { forwarder, server, first } = await scene(t, ({ label, query, reply, connection, socket, overTcp }) => {
      if (overTcp && connection === 1 && label !== 'warm') socket![end]();
      else reply(answerTo(query));
    });
    assert.equal((await ask(forwarder, 'warm.test')).rcode, 0);
    const outcomes = await Promise.all(names(20).map((name) => ask(forwarder, name)));
    assert.ok(
      outcomes.every(({ rcode }) => rcode === 0),
      end,
    );
    assert.equal(first.isDown, false);
    assert.ok(first.stream.reasked >= 1);
    assert.ok(server.connections >= 2);
  }
});

test('half a frame and a close: the question is asked again', async (t) => {
  const { forwarder } = await scene(t, ({ label, query, raw, reply, connection, socket }) => {
    if (label === 'warm' || connection !== 1) {
      reply(answerTo(query));
      return;
    }
    raw(framed(answerTo(query)).subarray(0, 20));
    socket!.end();
  });
  await ask(forwarder, 'warm.test');
  assert.equal((await ask(forwarder, 'half.test')).rcode, 0);
});

test('a server that closes after each answer still answers all', async (t) => {
  const { forwarder, first } = await scene(t, ({ query, reply, overTcp, socket }) => {
    if (overTcp && socket!.writableEnded) return;
    reply(answerTo(query));
    socket?.end();
  });
  const outcomes = await Promise.all(names(30).map((name) => ask(forwarder, name)));
  assert.ok(outcomes.every(({ rcode }) => rcode === 0));
  assert.equal(first.isDown, false);
});

test('a refused connection is told at once, and three of them make the upstream down', async (t) => {
  const { forwarder, server, first } = await scene(t, answerAll);
  await server.stopTcp();
  await server.stopUdp();
  const { failure, ms } = await ask(forwarder, 'n.test');
  assert.equal(failure, 'unreachable');
  assert.ok(ms < 900, `${ms} ms`);
  assert.equal(first.isDown, true);
  assert.equal(first.stream.size, 0);
});

test('a connection that is reset as soon as it is asked is a failure', async (t) => {
  const { forwarder, first } = await scene(t, ({ socket }) => socket?.resetAndDestroy());
  assert.equal((await ask(forwarder, 'n.test')).failure, 'unreachable');
  assert.equal(first.isDown, true);
});

test('a slow name holds up nobody else, and the pool returns to two connections', async (t) => {
  const { forwarder, server, first } = await scene(t, serial(700), { tryMs: 3000, timing: { calmMs: 50 } });
  await Promise.all(names(50).map((name) => ask(forwarder, name)));
  const slow = Promise.all(names(3, 'slow').map((name) => ask(forwarder, name)));
  const behind = await Promise.all(names(60, 'behind').map((name) => ask(forwarder, name)));
  for (const { rcode, ms } of behind) {
    assert.equal(rcode, 0);
    assert.ok(ms < 650, `${ms} ms`);
  }
  assert.ok((await slow).every(({ rcode }) => rcode === 0));
  assert.ok(first.stream.stalls > 0);
  assert.ok(first.stream.reasked > 0);
  assert.ok(server.connections <= 8);
  assert.equal(first.isDown, false);
  await until('two connections', () => first.stream.size <= 2);
  await until('nothing in flight', () => first.inFlight === 0);
});

test('a slow name gets its own late answer, where there is no other upstream to ask', async (t) => {
  const { forwarder } = await scene(t, serial(600), { tryMs: 150, totalMs: 3000 });
  const { rcode, ms } = await ask(forwarder, 'slow.test');
  assert.equal(rcode, 0);
  assert.ok(ms < 1200, `${ms} ms: the first try's reply counts too`);
});

test('when every connection is stalled, questions go over UDP', async (t) => {
  const { forwarder, server, first } = await scene(t, ({ query, reply, overTcp }) => {
    if (!overTcp) reply(answerTo(query));
  });
  const outcomes = await Promise.all(names(30).map((name) => ask(forwarder, name)));
  assert.ok(outcomes.every(({ rcode }) => rcode === 0));
  for (let round = 0; round < 20; round++) {
    const { rcode, ms } = await ask(forwarder, `m${round}.test`);
    assert.equal(rcode, 0);
    assert.ok(ms < 900, `${ms} ms: new connections do not help, and nobody waits for one`);
  }
  assert.ok(server.connections <= 2);
  assert.equal(first.isDown, false);
});

test('a deep queue that moves is not stalled', async (t) => {
  const waiting: Received[] = [];
  const { forwarder, first, server } = await scene(t, (received) => waiting.push(received));
  let [movedMs, longestMs] = [0, 0];
  const timer = setInterval(() => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - movedMs);
    movedMs = nowMs;
    // One of each connection, should all questions of one have come before those of the other.
    for (const next of [waiting.shift(), waiting.pop()]) next?.reply(answerTo(next.query));
  }, 5);
  t.after(() => clearInterval(timer));
  // On a busy machine the server itself may stand still for longer than a queue may: then it is looked at again.
  for (let tries = 0; tries < 20; tries++) {
    [movedMs, longestMs] = [performance.now(), 0];
    const { stalls } = first.stream;
    const most = Math.max(2, server.connections);
    const outcomes = await Promise.all(names(120).map((name) => ask(forwarder, name)));
    assert.ok(outcomes.every(({ rcode }) => rcode === 0));
    if (longestMs > 50) continue;
    assert.equal(first.stream.stalls, stalls);
    assert.ok(server.connections <= most);
    return;
  }
  t.diagnostic('this machine never held still for long enough');
});

test('a server that answers out of order is not taken for a stalled one', async (t) => {
  const { forwarder, first } = await scene(t, ({ label, query, reply }) => {
    setTimeout(() => reply(answerTo(query)), label.startsWith('slow') ? 250 : 0);
  });
  const fast = async (): Promise<void> => {
    for (let i = 0; i < 30; i++) assert.equal((await ask(forwarder, `n${i}.test`)).rcode, 0);
  };
  for (let round = 0; round < 2; round++) {
    await Promise.all([ask(forwarder, 'slow.test'), ask(forwarder, 'slow2.test'), fast()]);
  }
  const { stalls } = first.stream;
  await Promise.all([...names(4, 'slow').map((name) => ask(forwarder, name)), fast()]);
  assert.equal(first.stream.stalls, stalls);
});

test('an unused connection is closed, and the last one kept warm while there was traffic lately', async (t) => {
  const timing = { idleMs: 150, warmMs: 900 };
  const { forwarder, server, first } = await scene(t, answerAll, { timing });
  await Promise.all(names(20).map((name) => ask(forwarder, name)));
  await until('it was kept warm twice', () => server.received.filter(({ query }) => query[12] === 0).length >= 2);
  assert.equal(first.stream.size, 1);
  await until('all are closed', () => first.stream.size === 0);
  assert.equal(first.isDown, false);
  assert.equal((await ask(forwarder, 'again.test')).rcode, 0);
});

test('a connection is replaced at its age, with no question lost', async (t) => {
  const { forwarder, server, first } = await scene(t, answerAll, { timing: { maxAgeMs: 200 } });
  const endMs = performance.now() + 1500;
  while (performance.now() < endMs) assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
  assert.ok(server.connections >= 4, `${server.connections}`);
  assert.ok(first.stream.size <= 4);
  assert.equal(first.retries + first.stream.reasked, 0);
});

test('the server is asked how long it keeps a connection, and its word is kept', async (t) => {
  const keepalive = (deciseconds: number): Uint8Array => Uint8Array.of(0, 11, 0, 2, 0, deciseconds);
  let hasOption = false;
  const short = await scene(
    t,
    ({ query, reply }) => {
      hasOption ||= query.subarray(-4).equals(Buffer.of(0, 11, 0, 0));
      reply(answerTo(query, { options: keepalive(2) }));
    },
    { timing: { warmMs: 0 } },
  );
  assert.equal((await ask(short.forwarder, 'n.test')).rcode, 0);
  assert.equal(hasOption, true);
  await until('closed before the server does', () => short.first.stream.size === 0);
  const closeNow = await scene(t, ({ query, reply }) => reply(answerTo(query, { options: keepalive(0) })));
  assert.equal((await ask(closeNow.forwarder, 'n.test')).rcode, 0);
  await until('closed as the server wishes', () => closeNow.first.stream.size === 0);
});

test('a query without OPT goes out without OPT', async (t) => {
  const { forwarder, server } = await scene(t, answerAll);
  assert.equal((await ask(forwarder, 'n.test', { isPlain: true })).rcode, 0);
  assert.equal(server.received[0]!.query.readUInt16BE(10), 0);
});

test('a server that reads nothing makes no backlog grow past its bound', async (t) => {
  // Long enough that all have left, 64 a turn, before the first is given up and the server is taken for dead.
  const { forwarder, server, first } = await scene(t, answerAll, { tryMs: 3000, totalMs: 3000 });
  // The bound of the upstream as a whole would be reached long before.
  const usual = UPSTREAM_IN_FLIGHT.value;
  UPSTREAM_IN_FLIGHT.value = 100_000;
  t.after(() => (UPSTREAM_IN_FLIGHT.value = usual));
  await ask(forwarder, 'n.test');
  await server.stopUdp();
  for (const socket of server.sockets) socket.pause();
  server.script = () => {};
  const hits = (): number =>
    LIMITS.filter(({ name }) => name.startsWith('connection')).reduce((sum, limit) => sum + limit.hits, 0);
  const before = hits();
  const outcomes = await Promise.all(names(30_000).map((name) => ask(forwarder, name)));
  assert.ok(outcomes.every(({ failure }) => failure !== undefined));
  assert.ok(outcomes.some(({ failure }) => failure === 'overload'));
  assert.ok(hits() > before);
  assert.ok(first.inFlight <= 8 * 2048 + 16 * 1024);
});

test('a connection that owes replies and gives none is closed', async (t) => {
  const options = { tryMs: 100, totalMs: 150, timing: { silentMs: 300 } };
  const { forwarder, server, first } = await scene(
    t,
    ({ query, reply, label }) => {
      if (label === 'warm') reply(answerTo(query));
    },
    options,
  );
  await ask(forwarder, 'warm.test');
  await server.stopUdp();
  assert.equal((await ask(forwarder, 'silent.test')).failure, 'timeout');
  const before = [...server.sockets];
  await until('the old ones are closed', () => before.every((socket) => socket.destroyed));
  assert.equal((await ask(forwarder, 'warm.test')).rcode, first.isDown ? -1 : 0);
});
