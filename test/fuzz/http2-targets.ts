import assert from 'node:assert/strict';
import { Http2Connection, type Http2Owner } from '../../src/upstream/http2-connection.ts';
import type { StreamOutput } from '../../src/upstream/stream-output.ts';
import { ResponseHead } from '../../src/wire/hpack.ts';
import * as http2 from '../../src/wire/http2.ts';
import { HpackOracle } from './hpack-oracle.ts';
import type { Random } from './random.ts';
import { Placed, type Target } from './targets.ts';

/** A head says what the last of its fields of that name says, and nothing of values that are too long to matter. */
function expectedHead(fields: readonly (readonly [name: string, value: string])[]): unknown[] {
  const last = (wanted: string): string => {
    const value = fields.findLast(([name]) => name === wanted)?.[1] ?? '';
    return value.length > 256 ? '' : value;
  };
  const has = (wanted: string): boolean => fields.some(([name]) => name === wanted);
  const number = (text: string, shape: RegExp, otherwise: number): number =>
    shape.test(text) ? Number(text) : otherwise;
  return [
    number(last(':status'), /^\d{3}$/, 0),
    last('content-type'),
    last('retry-after'),
    number(last('age'), /^\d+$/, 0),
    has('content-length') ? number(last('content-length'), /^\d{1,9}$/, Number.POSITIVE_INFINITY) : -1,
  ];
}

const headFields = ({ status, contentType, retryAfter, age, contentLength }: ResponseHead): unknown[] => [
  status,
  contentType,
  retryAfter,
  age,
  contentLength,
];

/** The octets as header blocks of one connection, each behind its length. */
const blocks: Target = (octets, random) => {
  const here = new ResponseHead();
  const there = new ResponseHead();
  const oracle = new HpackOracle();
  for (let at = 0; at < octets.length; at += 1 + octets[at]!) {
    const { alone, bytes, start, end } = new Placed(octets.slice(at + 1, at + 1 + octets[at]!), random);
    const isRead = here.read(alone, 0, alone.length);
    assert.equal(there.read(bytes, start, end), isRead, 'a head reads the same wherever it lies');
    const fields = oracle.read(alone);
    assert.equal(isRead, fields !== undefined, 'a head is malformed or it is not');
    if (fields === undefined) return;
    assert.deepEqual(headFields(here), expectedHead(fields), 'a head says what its fields say');
    assert.deepEqual(headFields(there), headFields(here), 'a head says the same wherever it lies');
    const indexed = (index: number): Uint8Array => Uint8Array.of(0x80 | index);
    if (oracle.end > 126) return;
    assert.equal(here.read(indexed(oracle.end - 1), 0, 1), true, 'what was kept is there');
    assert.equal(here.read(indexed(oracle.end), 0, 1), false, 'what had to make room is not');
  }
};

/** Counts what is written, for the time of one mutant. */
class Output {
  static readonly #room = Buffer.alloc(65_536);
  readonly buffer = Output.#room;
  readonly backlog = 0;
  written = 0;

  reserve(): number {
    return 0;
  }

  commit(end: number): void {
    this.written += end;
  }

  open(): void {}
}

const STREAMS = 4;
const BODY = 100;

/** What a connection with some streams, the last of them waiting for its window, does with `stream` when it comes cut like that. */
function outcome(stream: Uint8Array, cuts: (length: number) => number): { calls: string[]; written: number } {
  const calls: string[] = [];
  let isBroken = false;
  const call = (text: string): void => {
    assert.equal(isBroken, false, 'nothing is told after the end');
    calls.push(text);
  };
  const owner: Http2Owner = {
    onHead: (id, head, isEnd) => call(`head ${id} ${isEnd} ${headFields(head)}`),
    onBody: (id, bytes, start, end, isEnd) => call(`body ${id} ${isEnd} ${Array.from(bytes.subarray(start, end))}`),
    onReset: (id, isRefused) => call(`reset ${id} ${isRefused}`),
    onLast: (last) => call(`last ${last}`),
    onBroken: () => {
      call('broken');
      isBroken = true;
    },
  };
  const output = new Output();
  const connection = new Http2Connection(owner, output as unknown as StreamOutput);
  connection.open();
  // With a window of 50 for each new stream.
  const greeting = Uint8Array.of(
    0,
    0,
    6,
    http2.FRAME_SETTINGS,
    0,
    0,
    0,
    0,
    0,
    0,
    http2.SETTING_INITIAL_WINDOW_SIZE,
    0,
    0,
    0,
    50,
  );
  connection.read(greeting, 0, greeting.length);
  for (let i = 0; i < STREAMS; i++) connection.post(0, 20, 100, BODY);
  const before = output.written;
  for (let at = 0; at < stream.length && !isBroken; ) {
    const to = Math.min(stream.length, at + cuts(stream.length));
    connection.read(stream, at, to);
    at = to;
  }
  return { calls, written: output.written - before };
}

/** The octets as what a server sends; the high octets of lengths are mostly made 0, so that there are several frames in it. */
const connection: Target = (octets, random: Random) => {
  const stream = octets.slice();
  const isShort = random.below(8) > 0;
  let frames = 0;
  for (let at = 0; at + http2.FRAME_HEAD <= stream.length; at += http2.FRAME_HEAD + stream[at + 2]!, frames++) {
    if (isShort) stream.fill(0, at, at + 2);
  }
  const whole = outcome(stream, (length) => length);
  const size = random.pick([1, 9, 400]);
  assert.deepEqual(
    outcome(stream, () => 1 + random.below(size)),
    whole,
    'a stream is the same however it is cut',
  );
  if (isShort) assert.ok(whole.calls.length <= frames + 1, 'a frame says one thing at the most');
  const mostHeads = STREAMS * BODY * (http2.FRAME_HEAD + 1);
  assert.ok(whole.written <= stream.length + mostHeads, 'no more goes out than came in, but for what was to go out');
};

export const http2Targets = { blocks, connection };
