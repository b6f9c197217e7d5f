import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader, type FrameSink } from '../../../src/wire/framing.ts';
import { embed } from '../../wire/message-writer.ts';

class Frames implements FrameSink {
  readonly list: Uint8Array[] = [];
  /** Frames that were handed out in the chunk itself. */
  inPlace = 0;
  chunk: Uint8Array | undefined;

  onFrame(bytes: Uint8Array, start: number, end: number): void {
    this.list.push(bytes.slice(start, end));
    if (bytes === this.chunk) this.inPlace++;
    // What a responder does: the bytes may be changed in place.
    bytes.fill(0xff, start, end);
  }
}

const framed = (frames: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat(frames.flatMap((frame) => [Uint8Array.of(frame.length >>> 8, frame.length & 0xff), frame]));

/** Feeds the stream in chunks of those lengths, over and over, each in the middle of other octets. */
function feed(reader: FrameReader, stream: Uint8Array, lengths: readonly number[], sink: Frames): void {
  for (let at = 0, i = 0; at < stream.length; i++) {
    const length = lengths[i % lengths.length]!;
    const { bytes, start, end } = embed(stream.subarray(at, at + length));
    sink.chunk = bytes;
    reader.read(bytes, start, end, sink);
    at += length;
  }
}

test('every frame comes out whole and in order, however the stream is cut', () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 8 });
  const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2000 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(frames, lengths, (list, cuts) => {
      const sink = new Frames();
      const reader = new FrameReader();
      feed(reader, framed(list), cuts, sink);
      assert.deepEqual(sink.list, list);
      assert.equal(reader.isMidFrame, false);
    }),
  );
});

test('an octet at a time is enough', () => {
  const list = [
    new Uint8Array(0),
    new Uint8Array(1).fill(1),
    new Uint8Array(300).fill(2),
    new Uint8Array(9000).fill(3),
  ];
  const sink = new Frames();
  feed(new FrameReader(), framed(list), [1], sink);
  assert.deepEqual(sink.list, list);
});

test('the longest frame goes through', () => {
  const longest = new Uint8Array(65_535).map((_, i) => i);
  for (const lengths of [[1460], [65_537], [65_536], [2, 65_535]]) {
    const sink = new Frames();
    const reader = new FrameReader();
    feed(reader, framed([longest, longest]), lengths, sink);
    assert.deepEqual(sink.list, [longest, longest]);
    assert.equal(reader.isMidFrame, false);
  }
});

test('frames that lie whole in a chunk are not copied', () => {
  const sink = new Frames();
  const list = [new Uint8Array(30).fill(1), new Uint8Array(40).fill(2), new Uint8Array(50).fill(3)];
  const stream = framed(list);
  feed(new FrameReader(), stream, [stream.length - 10, 10], sink);
  assert.deepEqual(sink.list, list);
  assert.equal(sink.inPlace, 2);
});

test('a reader says whether it is in the middle of a frame', () => {
  const reader = new FrameReader();
  const sink = new Frames();
  const step = (...octets: number[]): boolean => {
    reader.read(Uint8Array.from(octets), 0, octets.length, sink);
    return reader.isMidFrame;
  };
  assert.equal(reader.isMidFrame, false);
  assert.equal(step(), false);
  assert.equal(step(0), true);
  assert.equal(step(), true);
  assert.equal(step(2), true);
  assert.equal(step(7), true);
  assert.equal(step(8), false);
  assert.equal(step(0, 0), false);
  assert.deepEqual(sink.list, [Uint8Array.of(7, 8), new Uint8Array(0)]);
});
