import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { UpstreamAddress } from '../../../src/config/config.ts';
import { NAMED_PROGRAMS, startNamed } from '../../servers/named.ts';
import { skipWithout } from '../../servers/programs.ts';
import { ask, type SetUp, setUp, until } from './asking.ts';
import { answerTo, type Received, type Script, ScriptedServer } from './scripted-server.ts';

type Settings = Pick<UpstreamAddress, 'hasCookies' | 'hasMixedCase' | 'source'>;

async function scene(t: TestContext, script: Script, settings: Settings): Promise<SetUp & { server: ScriptedServer }> {
  const server = await ScriptedServer.start(script);
  const made = setUp([{ ...server.address, ...settings }], { transport: 'udp' });
  t.after(async () => {
    made.upstreams.close();
    await server.close();
  });
  return { ...made, server };
}

const nameOf = ({ query }: Received): string => query.toString('latin1', 12, query.indexOf(0, 12));

/** The data of the COOKIE option in a query whose OPT has that option alone. */
function cookieOf({ query }: Received): Buffer {
  const options = query.indexOf(0, 12) + 5 + 11;
  assert.deepEqual([...query.subarray(options, options + 3)], [0, 10, 0]);
  return query.subarray(options + 4, options + 4 + query[options + 3]!);
}

const cookie = (...parts: readonly Uint8Array[]): Buffer => {
  const data = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([0, 10, 0, data.length]), data]);
};

const SERVER_PART = Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex');

test('names leave in a case that is another each time, over UDP alone', async (t) => {
  const name = 'a-rather-long-name-with-many-letters.example.test';
  const { forwarder, server, first } = await scene(t, ({ query, reply }) => reply(answerTo(query)), {
    hasMixedCase: true,
  });
  for (let i = 0; i < 8; i++) assert.equal((await ask(forwarder, name)).rcode, 0);
  const spellings = server.received.map(nameOf);
  assert.equal(new Set(spellings).size, 8);
  assert.equal(new Set(spellings.map((spelling) => spelling.toLowerCase())).size, 1);
  assert.ok(server.received.every(({ overTcp }) => !overTcp));
  assert.equal(first.doubtful, 0);
});

test('a server that spells names its own way is asked over TCP, as a forger’s reply would be checked', async (t) => {
  const script: Script = ({ query, overTcp, reply }) => {
    const answer = answerTo(query);
    // A forger does not know how the name was spelt.
    if (!overTcp) for (let i = 12; i < answer.indexOf(0, 12); i++) if (answer[i]! > 64) answer[i]! |= 0x20;
    reply(answer);
  };
  const { forwarder, server, first } = await scene(t, script, { hasMixedCase: true });
  assert.equal((await ask(forwarder, 'another-name-of-many-letters.test')).rcode, 0);
  assert.equal(first.doubtful, 1);
  assert.deepEqual(
    server.received.map(({ overTcp }) => overTcp),
    [false, true],
  );
});

test('a name without letters is asked and answered', async (t) => {
  const { forwarder, first } = await scene(t, ({ query, reply }) => reply(answerTo(query)), { hasMixedCase: true });
  assert.equal((await ask(forwarder, '1.2.3.4')).rcode, 0);
  assert.equal(first.doubtful, 0);
});

test('a server’s cookie is learnt from its first reply and sent from then on', async (t) => {
  const script: Script = (received) => {
    const client = cookieOf(received).subarray(0, 8);
    received.reply(answerTo(received.query, { options: cookie(client, SERVER_PART) }));
  };
  const { forwarder, server, first } = await scene(t, script, { hasCookies: true });
  for (let i = 0; i < 3; i++) assert.equal((await ask(forwarder, `n${i}.test`)).rcode, 0);
  const [before, ...after] = server.received.map(cookieOf);
  assert.equal(before!.length, 8);
  for (const data of after) assert.deepEqual(data, Buffer.concat([before!, SERVER_PART]));
  assert.equal(first.doubtful, 0);
});

test('a reply with another client’s cookie is not taken, and the good one still counts', async (t) => {
  const script: Script = (received) => {
    const client = cookieOf(received).subarray(0, 8);
    const foreign = Buffer.from(client);
    foreign[0]! ^= 1;
    received.reply(answerTo(received.query, { rcode: 3, options: cookie(foreign, SERVER_PART) }));
    received.reply(answerTo(received.query, { options: cookie(client, SERVER_PART) }));
  };
  const { forwarder, first } = await scene(t, script, { hasCookies: true });
  assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
  assert.equal(first.badReplies[3], 1);
});

test('a reply without the cookie that was there before is checked over TCP, until the server is known to have none', async (t) => {
  let gives = true;
  const script: Script = (received) => {
    if (received.overTcp) received.reply(answerTo(received.query));
    else {
      const options = cookie(cookieOf(received).subarray(0, 8), SERVER_PART);
      received.reply(answerTo(received.query, gives ? { options } : {}));
    }
  };
  const { forwarder, first, server } = await scene(t, script, { hasCookies: true });
  assert.equal((await ask(forwarder, 'first.test')).rcode, 0);
  gives = false;
  for (let i = 0; i < 6; i++) assert.equal((await ask(forwarder, `n${i}.test`)).rcode, 0);
  assert.equal(first.doubtful, 3);
  assert.equal(server.received.filter(({ overTcp }) => overTcp).length, 3);
});

test('a server that knows no cookies is asked with ours, and believed', async (t) => {
  const { forwarder, first } = await scene(t, ({ query, reply }) => reply(answerTo(query)), { hasCookies: true });
  for (let i = 0; i < 3; i++) assert.equal((await ask(forwarder, `n${i}.test`)).rcode, 0);
  assert.equal(first.doubtful, 0);
});

test('a question without OPT, such as a probe of our own, can have no cookie in its reply: that one is believed', async (t) => {
  const script: Script = (received) => {
    const hasOpt = received.query[11] === 1;
    const options = hasOpt ? { options: cookie(cookieOf(received).subarray(0, 8), SERVER_PART) } : {};
    received.reply(answerTo(received.query, options));
  };
  const { forwarder, first, server } = await scene(t, script, { hasCookies: true });
  assert.equal((await ask(forwarder, 'first.test')).rcode, 0);
  const message = Buffer.from('0000010000010000000000000000020001', 'hex');
  for (let i = 0; i < 3; i++) {
    await new Promise<void>((resolve, reject) => {
      const end = message.length;
      forwarder.ask({ message, questionEnd: end, end, onAnswer: () => resolve(), onFailure: reject });
    });
  }
  assert.equal(first.doubtful, 0);
  assert.equal((await ask(forwarder, 'last.test')).rcode, 0);
  assert.equal(cookieOf(server.received.at(-1)!).length, 8 + SERVER_PART.length, 'and the cookie not forgotten');
});

test('questions leave from the source address', async (t) => {
  for (const transport of ['udp', 'tcp'] as const) {
    const sources = new Set<string>();
    const server = await ScriptedServer.start(({ query, socket, reply }) => {
      if (socket !== undefined) sources.add(socket.remoteAddress!);
      reply(answerTo(query));
    });
    server.onDatagram = (address) => sources.add(address);
    const { forwarder, upstreams } = setUp([{ ...server.address, source: '127.0.0.7' }], { transport });
    t.after(async () => {
      upstreams.close();
      await server.close();
    });
    assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
    assert.deepEqual([...sources], ['127.0.0.7']);
  }
});

test('BIND takes cookies and random case, and one that insists on cookies gets them', {
  skip: skipWithout(...NAMED_PROGRAMS),
}, async (t) => {
  for (const settings of ['', 'require-server-cookie yes;']) {
    const named = await startNamed({ settings });
    t.after(() => named.stop());
    const { forwarder, first, upstreams } = setUp([{ ...named, hasCookies: true, hasMixedCase: true }], {
      transport: 'udp',
    });
    t.after(() => upstreams.close());
    for (let i = 0; i < 20; i++) assert.equal((await ask(forwarder, `n${i}.example.test`)).failure, undefined);
    // Without a cookie yet, the first question is told to come again.
    assert.equal(first.doubtful, settings === '' ? 0 : 1);
    await until('nothing is owed', () => first.inFlight === 0);
  }
});
