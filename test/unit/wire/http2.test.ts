import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAME_MOST, Http2Reader, writeFrameHead } from '../../../src/wire/http2.ts';

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: string;
}

function frame(type: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  writeFrameHead(head, 0, payload.length, type, 0x5, stream);
  return Buffer.concat([head, payload]);
}

class Sink {
  readonly frames: Frame[] = [];
  tooLong = 0;
  most = Number.POSITIVE_INFINITY;

  onFrame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.frames.push({ type, flags, stream, payload: Buffer.from(bytes.subarray(start, end)).toString('hex') });
    return this.frames.length < this.most;
  }

  onTooLong(): void {
    this.tooLong++;
  }
}

const bytes = Buffer.concat([
  frame(0, 1, Buffer.from('abc')),
  frame(4, 0, Buffer.alloc(0)),
  frame(1, 0x7fffffff, Buffer.alloc(FRAME_MOST, 7)),
  frame(0, 3, Buffer.from('d')),
]);

test('frames come out the same in whatever pieces they came', () => {
  const whole = new Sink();
  new Http2Reader().read(bytes, 0, bytes.length, whole);
  assert.deepEqual(
    whole.frames.map(({ type, flags, stream, payload }) => [type, flags, stream, payload.length / 2]),
    [
      [0, 5, 1, 3],
      [4, 5, 0, 0],
      [1, 5, 0x7fffffff, FRAME_MOST],
      [0, 5, 3, 1],
    ],
  );
  for (const size of [1, 2, 8, 9, 10, 13, 4096]) {
    const sink = new Sink();
    const reader = new Http2Reader();
    for (let at = 0; at < bytes.length; at += size) reader.read(bytes, at, Math.min(at + size, bytes.length), sink);
    assert.deepEqual(sink.frames, whole.frames);
  }
});

test('a frame longer than we allow is not waited for', () => {
  const head = Buffer.alloc(9);
  writeFrameHead(head, 0, FRAME_MOST + 1, 0, 0, 1);
  for (const size of [9, 1]) {
    const sink = new Sink();
    const reader = new Http2Reader();
    for (let at = 0; at < head.length; at += size) reader.read(head, at, at + size, sink);
    assert.equal(sink.tooLong, 1);
  }
});

test('nothing is handed out after a frame that ends the reading', () => {
  const sink = new Sink();
  sink.most = 2;
  new Http2Reader().read(bytes, 0, bytes.length, sink);
  assert.equal(sink.frames.length, 2);
});
