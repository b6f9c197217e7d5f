import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CONNECTION_FRAMES, CONNECTION_STREAMS } from '../../../src/core/limits.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import * as http2 from '../../../src/wire/http2.ts';
import { ask, type SetUpOptions, setUp, until } from './asking.ts';
import { DNS_MESSAGE } from './scripted-doh.ts';
import {
  answer,
  block,
  frame,
  GOOD,
  type Http2Script,
  type Request,
  ScriptedHttp2,
  settings,
  uint32,
} from './scripted-http2.ts';
import { answerTo } from './scripted-server.ts';

const { FRAME_CONTINUATION, FRAME_DATA, FRAME_GOAWAY, FRAME_HEADERS, FRAME_PING, FRAME_PUSH_PROMISE } = http2;
const { FRAME_RST_STREAM, FRAME_SETTINGS, FRAME_WINDOW_UPDATE } = http2;
const { FLAG_END_HEADERS, FLAG_END_STREAM, FLAG_PADDED, FLAG_PRIORITY } = http2;

async function scene(t: TestContext, script: Http2Script, options: SetUpOptions = {}) {
  const server = await new ScriptedHttp2(script).start();
  const reasons: string[] = [];
  const log: Logger = { ...silentLogger, warn: (fields) => reasons.push((fields as { reason: string }).reason) };
  const made = setUp([server.address], { log, tryMs: 2000, ...options });
  t.after(async () => {
    made.upstreams.close();
    await server.close();
  });
  return { ...made, server, reasons };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}.test`);
const GREETING = frame(FRAME_SETTINGS, 0, 0);
const PRIORITY = 2;

test('frames of every kind that mean nothing here do not disturb an answer', async (t) => {
  const { forwarder, server } = await scene(t, {
    onRequest: ({ stream, query, send }) => {
      const message = answerTo(query);
      send(
        frame(PRIORITY, 0, stream, '\0\0\0\0\x10'),
        frame(0xfa, 0xff, stream, 'grease'),
        frame(FRAME_SETTINGS, http2.FLAG_ACK, 0),
        frame(FRAME_WINDOW_UPDATE, 0, stream, uint32(5)),
        frame(FRAME_HEADERS, FLAG_END_HEADERS, stream, block({ ':status': '103', link: '</>' })),
        frame(
          FRAME_HEADERS,
          FLAG_PADDED | FLAG_PRIORITY,
          stream,
          `\x03\0\0\0\0\x10${GOOD.toString('latin1', 0, 9)}\0\0\0`,
        ),
        frame(FRAME_CONTINUATION, 0, stream),
        frame(FRAME_CONTINUATION, FLAG_END_HEADERS, stream, GOOD.subarray(9)),
        frame(FRAME_DATA, 0, stream),
        frame(FRAME_DATA, FLAG_PADDED, stream, Buffer.concat([Buffer.of(2), message.subarray(0, 20), Buffer.alloc(2)])),
        frame(FRAME_DATA, 0, stream, message.subarray(20)),
        frame(FRAME_HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM, stream, block({ 'x-trailer': 'yes' })),
        frame(FRAME_RST_STREAM, 0, stream, uint32(0)),
        frame(FRAME_DATA, FLAG_END_STREAM, stream, 'late'),
      );
    },
  });
  for (const name of names(20)) assert.equal((await ask(forwarder, name)).rcode, 0);
  assert.equal(server.accepted, 1);
});

test('a head may build on those before it, also on those of answers that nobody waits for any more', async (t) => {
  const kept = (name: string, value: string) =>
    Buffer.concat([Buffer.of(0x40, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);
  const { forwarder, server } = await scene(t, {
    onRequest: ({ stream, query, send }) => {
      if (stream > 1) return send(answer(stream, query, Buffer.of(0x88, 0xbe)));
      // Of a stream that was reset before.
      send(frame(FRAME_RST_STREAM, 0, stream, uint32(http2.ERROR_REFUSED_STREAM)));
      send(frame(FRAME_HEADERS, FLAG_END_HEADERS, stream, kept('content-type', DNS_MESSAGE)));
    },
  });
  for (const name of names(20)) assert.equal((await ask(forwarder, name)).rcode, 0);
  assert.equal(server.accepted, 1);
});

test('a body leaves as the window of its stream lets it, also where there is none at first', async (t) => {
  for (const window of [0, 100]) {
    const { forwarder, server } = await scene(t, {
      hello: frame(FRAME_SETTINGS, 0, 0, settings([http2.SETTING_INITIAL_WINDOW_SIZE, window])),
      onHead: ({ stream, send }) => {
        send(frame(FRAME_WINDOW_UPDATE, 0, stream, uint32(10)));
        // What was granted is taken back, and more is given.
        send(frame(FRAME_SETTINGS, 0, 0, settings([http2.SETTING_INITIAL_WINDOW_SIZE, 0])));
        send(frame(FRAME_SETTINGS, 0, 0, settings([http2.SETTING_INITIAL_WINDOW_SIZE, window])));
        send(frame(FRAME_WINDOW_UPDATE, 0, stream, uint32(1000)));
        send(frame(FRAME_WINDOW_UPDATE, 0, 0, uint32(1000)));
      },
      onRequest: ({ stream, query, send }) => send(answer(stream, query)),
    });
    for (const name of names(5)) assert.equal((await ask(forwarder, name)).rcode, 0);
    const outcomes = await Promise.all(names(800).map((name) => ask(forwarder, name)));
    assert.ok(outcomes.every(({ rcode }) => rcode === 0));
    assert.ok(server.received.every(({ query }) => query.length === 128));
  }
});

test('the numbers of streams run out, and another connection goes on', async (t) => {
  const usual = CONNECTION_STREAMS.value;
  CONNECTION_STREAMS.value = 10;
  t.after(() => (CONNECTION_STREAMS.value = usual));
  const onRequest = ({ stream, query, send }: Request) => send(answer(stream, query));
  const { forwarder, server, first } = await scene(t, { onRequest });
  for (const name of names(45)) assert.equal((await ask(forwarder, name)).rcode, 0);
  assert.equal(first.health.totalFailures, 0);
  assert.ok(server.received.every(({ stream }) => stream < 20));
  assert.ok(server.accepted >= 5);
  const outcomes = await Promise.all(names(30).map((name) => ask(forwarder, name)));
  assert.ok(outcomes.every(({ rcode }) => rcode === 0));
});

test('a server that says good-bye to what waits and what it has not begun with costs nobody an answer', async (t) => {
  const { forwarder, first } = await scene(t, {
    hello: frame(FRAME_SETTINGS, 0, 0, settings([http2.SETTING_MAX_CONCURRENT_STREAMS, 5])),
    onRequest: ({ stream, query, connection, send }) => {
      if (connection > 2) send(answer(stream, query));
      else if (stream === 5)
        send(frame(FRAME_GOAWAY, 0, 0, Buffer.concat([uint32(5), uint32(0)])), answer(stream, query));
      else if (stream < 5) send(answer(stream, query));
    },
  });
  const outcomes = await Promise.all(names(40).map((name) => ask(forwarder, name)));
  assert.ok(outcomes.every(({ rcode }) => rcode === 0));
  assert.equal(first.health.totalFailures, 0);
});

test('the seconds that an answer lay in a cache on its way are taken off its TTLs', async (t) => {
  let age = '0';
  const head = () => block({ ':status': '200', 'content-type': DNS_MESSAGE, age });
  const { forwarder } = await scene(t, {
    onRequest: ({ stream, query, send }) => send(answer(stream, query, head())),
  });
  const expected = { '0': 60, '23': 37, '99999999999999': 0, soon: 60 };
  for (const [told, ttl] of Object.entries(expected)) {
    age = told;
    const { reply } = await ask(forwarder, 'n.test');
    assert.equal(reply.readUInt32BE(reply.length - 10), ttl, told);
  }
});

/** Each breaks a rule of RFC 9113 in answer to the first question. */
const BREACHES: [what: string, (request: Request) => readonly Buffer[], hello?: Buffer][] = [
  ['a beginning without settings', () => [], frame(FRAME_PING, 0, 0, '12345678')],
  ['settings of a stream', ({ stream }) => [frame(FRAME_SETTINGS, 0, stream)]],
  ['settings of odd length', () => [frame(FRAME_SETTINGS, 0, 0, '12345')]],
  ['a window that is too large', () => [frame(FRAME_SETTINGS, 0, 0, settings([4, 0x8000_0000]))]],
  ['a window that grows too large', () => [frame(FRAME_WINDOW_UPDATE, 0, 0, uint32(0x7fff_ffff))]],
  ['a window that grows by nothing', () => [frame(FRAME_WINDOW_UPDATE, 0, 0, uint32(0))]],
  ['a push', ({ stream }) => [frame(FRAME_PUSH_PROMISE, FLAG_END_HEADERS, stream, uint32(2))]],
  ['a ping that is too short', () => [frame(FRAME_PING, 0, 0, '1234')]],
  ['a good-bye that is too short', () => [frame(FRAME_GOAWAY, 0, 0, '1234')]],
  ['a head on a stream that nobody opened', () => [frame(FRAME_HEADERS, FLAG_END_HEADERS, 99, GOOD)]],
  ['data on no stream', () => [frame(FRAME_DATA, 0, 0, 'x')]],
  ['data on a stream of the server', () => [frame(FRAME_DATA, 0, 2, 'x')]],
  ['an end of a stream that nobody opened', () => [frame(FRAME_RST_STREAM, 0, 99, uint32(0))]],
  ['padding that is longer than its frame', ({ stream }) => [frame(FRAME_DATA, FLAG_PADDED, stream, '\x05xxxx')]],
  ['padding of an empty frame', ({ stream }) => [frame(FRAME_HEADERS, FLAG_PADDED | FLAG_END_HEADERS, stream)]],
  ['a head that goes on where none was', ({ stream }) => [frame(FRAME_CONTINUATION, FLAG_END_HEADERS, stream, GOOD)]],
  [
    'a head that goes on in another stream',
    ({ stream }) => [frame(FRAME_HEADERS, 0, stream, GOOD), frame(FRAME_CONTINUATION, FLAG_END_HEADERS, stream + 2)],
  ],
  [
    'something else in the midst of a head',
    ({ stream }) => [frame(FRAME_HEADERS, 0, stream, GOOD), frame(FRAME_PING, 0, 0, '12345678')],
  ],
  [
    'a head that goes on for ever with nothing',
    ({ stream }) => [frame(FRAME_HEADERS, 0, stream), ...Array<Buffer>(100).fill(frame(FRAME_CONTINUATION, 0, stream))],
  ],
  ['a head that is malformed', ({ stream }) => [frame(FRAME_HEADERS, FLAG_END_HEADERS, stream, '\xff\xff\xff\xff')]],
  ['a field that no head has named', ({ stream }) => [frame(FRAME_HEADERS, FLAG_END_HEADERS, stream, '\x88\xbe')]],
  ['a frame that is longer than agreed', ({ stream }) => [frame(FRAME_DATA, 0, stream, Buffer.alloc(16_385))]],
  [
    'an answer without a status',
    ({ stream, query }) => [answer(stream, query, block({ 'content-type': DNS_MESSAGE }))],
  ],
  ['a body before its head', ({ stream }) => [frame(FRAME_DATA, 0, stream, 'x')]],
  [
    'a trailer that does not end',
    ({ stream }) => Array<Buffer>(2).fill(frame(FRAME_HEADERS, FLAG_END_HEADERS, stream, GOOD)),
  ],
];

for (const [what, frames, hello = GREETING] of BREACHES) {
  test(`${what} is no HTTP/2, which is said, and nothing waits for it`, async (t) => {
    const onRequest = (request: Request) => request.send(...frames(request));
    const { forwarder, reasons, first } = await scene(t, { hello, onRequest }, { tryMs: 30_000, totalMs: 60_000 });
    for (const name of names(3)) assert.equal((await ask(forwarder, name)).rcode, -1);
    await until('down', () => first.isDown);
    assert.deepEqual(reasons, ['HTTP/2 protocol']);
  });
}

/** What a server may send without end, and never an answer. */
const FLOODS: [what: string, (request: Request) => Buffer][] = [
  ['pings', () => frame(FRAME_PING, 0, 0, '12345678')],
  ['settings', () => frame(FRAME_SETTINGS, 0, 0)],
  ['windows', ({ stream }) => frame(FRAME_WINDOW_UPDATE, 0, stream, uint32(1))],
  ['ends of a stream', ({ stream }) => frame(FRAME_RST_STREAM, 0, stream, uint32(0))],
  ['empty pieces of a body', ({ stream }) => frame(FRAME_DATA, 0, stream)],
  [
    'heads that only inform',
    ({ stream }) => frame(FRAME_HEADERS, FLAG_END_HEADERS, stream, block({ ':status': '100' })),
  ],
  ['frames of unknown types', () => frame(0xfa, 0, 0)],
];

for (const [what, make] of FLOODS) {
  test(`${what} without end and never an answer: the connection is closed`, async (t) => {
    const hits = CONNECTION_FRAMES.hits;
    const { forwarder } = await scene(
      t,
      {
        onRequest: (request) => {
          const isData = what === 'empty pieces of a body';
          if (isData) request.send(frame(FRAME_HEADERS, FLAG_END_HEADERS, request.stream, GOOD));
          request.send(Buffer.concat(Array<Buffer>(CONNECTION_FRAMES.value + 10).fill(make(request))));
        },
      },
      { tryMs: 30_000, totalMs: 60_000 },
    );
    await ask(forwarder, 'n.test');
    await until('closed', () => CONNECTION_FRAMES.hits > hits);
  });
}
