import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Http2Connection, type Http2Owner } from '../../../src/upstream/http2-connection.ts';
import { StreamOutput } from '../../../src/upstream/stream-output.ts';
import * as http2 from '../../../src/wire/http2.ts';
import { block, frame } from './scripted-http2.ts';

const GREETING = frame(http2.FRAME_SETTINGS, 0, 0);
const GRANTED = 1_048_576;

/** Takes everything at once, as the kernel nearly always does. */
class Sent {
  readonly writes: Buffer[] = [];
  readonly writableLength = 0;
  readonly destroyed = false;
  write(bytes: Buffer): void {
    this.writes.push(Buffer.from(bytes));
  }
}

/** A connection with streams open, which keeps as much of each body as it is told to. */
function scene(streams: number, isKept: boolean) {
  const sent = new Sent();
  const output = new StreamOutput(sent as unknown as Socket);
  const seen = { broken: 0, bytes: 0 };
  const owner: Http2Owner = {
    onHead() {},
    onBody(_stream, _bytes, start, end) {
      seen.bytes += end - start;
      if (isKept) connection.held += end - start;
    },
    onReset() {},
    onLast() {},
    onBroken: () => seen.broken++,
  };
  const connection = new Http2Connection(owner, output);
  connection.open();
  for (let i = 0; i < streams; i++) connection.post(output.reserve(100), 12, 30, 10);
  const read = (...frames: Buffer[]): void => {
    const bytes = Buffer.concat(frames);
    connection.read(bytes, 0, bytes.length);
    output.flush();
  };
  read(GREETING);
  sent.writes.length = 0;
  return { connection, output, sent, seen, read };
}

const piece = frame(http2.FRAME_DATA, 0, 1, Buffer.alloc(16_384));

test('the window is opened for what was read, as often as it is used up', () => {
  const { sent, seen, read } = scene(1, false);
  for (let i = 0; i < 640; i++) read(piece);
  assert.deepEqual(seen, { broken: 0, bytes: 10 * GRANTED });
  const granted = sent.writes.map((bytes) => [bytes[3], bytes.readUInt32BE(9)]);
  assert.deepEqual(granted, Array(20).fill([http2.FRAME_WINDOW_UPDATE, GRANTED / 2]));
});

test('the window is not opened for what still has to be kept, and who sends more is no server of ours', () => {
  const { sent, seen, read } = scene(1, true);
  for (let i = 0; i < 64; i++) read(piece);
  assert.deepEqual(seen, { broken: 0, bytes: GRANTED });
  assert.deepEqual(sent.writes, []);
  read(frame(http2.FRAME_DATA, 0, 1, 'x'));
  assert.deepEqual(seen, { broken: 1, bytes: GRANTED });
});

test('a head that comes in a thousand pieces is given up after a few', () => {
  const { seen, read } = scene(1, false);
  read(frame(http2.FRAME_HEADERS, 0, 1, block({ ':status': '200' })));
  for (let i = 0; i < 15; i++) read(frame(http2.FRAME_CONTINUATION, 0, 1));
  assert.equal(seen.broken, 0);
  read(frame(http2.FRAME_CONTINUATION, 0, 1));
  assert.equal(seen.broken, 1);
});
