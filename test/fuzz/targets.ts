import assert from 'node:assert/strict';
import { SignpostError } from '../../src/core/errors.ts';
import { TransferEnd } from '../../src/resolve/relay/transfer-end.ts';
import { decodeMessage } from '../../src/wire/codec.ts';
import { findOption } from '../../src/wire/edns.ts';
import { RecordFit } from '../../src/wire/fit.ts';
import { FrameReader } from '../../src/wire/framing.ts';
import { MessageScan } from '../../src/wire/message-scan.ts';
import { expandedLength, expandName, nameFromText, nameToText, skipName, skipPlainName } from '../../src/wire/name.ts';
import { QUERY_BADVERS, QUERY_DROP, QUERY_FORMERR, QUERY_OK, QUERY_RELAY, QueryView } from '../../src/wire/query.ts';
import { namesIn } from '../../src/wire/rdata-names.ts';
import { ReplyTrim } from '../../src/wire/reply-trim.ts';
import { rotateGroup, rotateUneven } from '../../src/wire/rotate.ts';
import { capTtls, subtractTtls } from '../../src/wire/ttl.ts';
import {
  expectedName,
  expectedNameEnd,
  expectedOutcome,
  expectedReply,
  type RecordRead,
  type ReplyRead,
} from './oracle.ts';
import { checkPlainTargets, checkUneven } from './plain-targets.ts';
import type { Random } from './random.ts';
import { expectedRelevance } from './relevance-oracle.ts';
import { showRecord } from './show-record.ts';

/** Used again for every mutant. */
const ROOM = new Uint8Array(4096);
const NAME_ROOM = new Uint8Array(300);
const TRIM_ROOM = new Uint8Array(65_535);

/**
 * The same octets twice: alone, and in the middle of others. A function that reads outside [start, end) finds nothing in the one and
 * poison in the other, and answers differently.
 */
export class Placed {
  readonly alone: Uint8Array;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;

  constructor(octets: Uint8Array, random: Random) {
    this.alone = octets;
    this.start = 1 + random.below(40);
    this.end = this.start + octets.length;
    this.bytes = ROOM.subarray(0, this.end + 64).fill(random.pick([0, 1, 12, 41, 63, 192, 255]));
    this.bytes.set(octets, this.start);
  }
}

/** Throws, with the promise that was broken, where code of wire/ does not stand up to `octets`. */
export type Target = (octets: Uint8Array, random: Random) => void;

/** `assert.deepEqual` for lists, for which it takes most of the time. */
function assertSame(
  found: ArrayLike<number | boolean> | undefined,
  expected: ArrayLike<number | boolean> | undefined,
  promise: string,
): void {
  let isSame = found?.length === expected?.length;
  for (let i = 0; isSame && i < (found?.length ?? 0); i++) isSame = found![i] === expected![i];
  assert.ok(isSame, promise);
}

const SEED = 0x0ddba11;
const view = new QueryView(SEED);
const viewAlone = new QueryView(SEED);
const scan = new MessageScan();
const scanAlone = new MessageScan();
const fit = new RecordFit();
const trim = new ReplyTrim();

const OUTCOMES = {
  OK: QUERY_OK,
  DROP: QUERY_DROP,
  FORMERR: QUERY_FORMERR,
  RELAY: QUERY_RELAY,
  BADVERS: QUERY_BADVERS,
};

const query: Target = (octets, random) => {
  const { alone, bytes, start, end } = new Placed(octets, random);
  const outcome = view.read(bytes, start, end);
  assert.equal(outcome, OUTCOMES[expectedOutcome(octets)], 'a query is told what it should be told');
  assert.equal(viewAlone.read(alone, 0, alone.length), outcome, 'a query reads the same wherever it lies');
  if (outcome === QUERY_DROP) return;
  assertSame(queryFields(view, start), queryFields(viewAlone, 0), 'a query has the same fields wherever it lies');
  if (view.questionEnd !== 0) {
    assert.equal(skipPlainName(bytes, start + 12, end), view.nameEnd, 'the name ends where it ends');
    assert.equal(view.questionEnd, view.nameEnd + 4);
    assert.ok(view.questionEnd <= end, 'the question lies in the message');
    checkText(bytes, start + 12, view.nameEnd);
  } else {
    assert.ok(outcome !== QUERY_OK && outcome !== QUERY_BADVERS, 'a good query has a question');
  }
  if (view.hasOpt)
    assert.ok(view.optionsStart >= view.questionEnd && view.optionsEnd <= end, 'options lie behind the question');
  assert.equal(view.read(bytes, start, end), outcome, 'a second reading is as the first');
};

function queryFields(from: QueryView, start: number): number[] {
  const relative = (offset: number): number => (offset === 0 ? 0 : offset - start);
  const offsets = [from.nameEnd, from.questionEnd, from.optionsStart, from.optionsEnd].map(relative);
  return [
    ...offsets,
    from.flags,
    from.type,
    from.class,
    from.nameHash,
    +from.hasOpt,
    from.ednsVersion,
    from.udpSize,
    +from.dnssecOk,
  ];
}

function checkText(wire: Uint8Array, start: number, end: number): void {
  assertSame(nameFromText(nameToText(wire, start)), wire.slice(start, end), 'a name survives the way to text and back');
}

const reply: Target = (octets, random) => {
  const placed = new Placed(octets, random);
  const { alone, bytes, start, end } = placed;
  const isWhole = scan.scan(bytes, start, end);
  assert.equal(scanAlone.scan(alone, 0, alone.length), isWhole, 'a reply scans the same wherever it lies');
  const expected = expectedReply(octets);
  assert.equal(isWhole, expected !== undefined, 'a reply is malformed or it is not');
  if (expected === undefined) return;
  assertSame(scanFields(scan), scanFields(scanAlone), 'a reply has the same fields wherever it lies');
  assert.equal(scan.questionEnd - start, expected.questionEnd);
  assert.equal(scan.recordsEnd - start, expected.recordsEnd);
  assertSame(scan.ttlOffsets.subarray(0, scan.ttlCount), expected.ttlOffsets, 'TTLs lie where they lie');
  assert.equal(scan.hasSoa ? scan.soaMinimum : undefined, expected.soaMinimum);
  assert.equal(scan.hasOpt ? scan.optOffset - start : -1, expected.optAt);
  assert.equal(scan.isSigned, expected.isSigned);
  const { additionals, authorities, questionEnd, recordsEnd } = scan;
  for (let i = 0; i < scan.groupCount; i++) {
    const [offset, length, count] = [scan.groups[3 * i]!, scan.groups[3 * i + 1]!, scan.groups[3 * i + 2]!];
    const least = length === 0 ? 11 : length;
    assert.ok(
      count > 1 && least > 10 && questionEnd + offset + least * count <= recordsEnd,
      'groups lie in the records',
    );
    if (length === 0)
      assert.ok(i === scan.groupCount - 1 && authorities + additionals === 0, 'those of no length are last');
  }
  if (scan.hasOpt) checkOpt(placed, random);
  checkTrim(placed, expected, random);
  checkPlainTargets(scan, placed, expected);
  checkUneven(scan, placed, expected);
  checkFit(bytes, random);
  checkChanges(placed);
};

function scanFields(from: MessageScan): (number | boolean)[] {
  const offsets = [from.questionEnd, from.recordsEnd, from.optionsStart, from.optionsEnd].map(
    (offset) => offset - from.start,
  );
  const opt = from.hasOpt ? [...offsets, from.optOffset - from.start, from.optEnd - from.start] : offsets.slice(0, 2);
  const { flags, type, answers, authorities, additionals, minimumTtl, soaTtl, soaMinimum, rcode, udpSize } = from;
  const flagsFound = [from.hasCname, from.hasSoa, from.hasOpt, from.dnssecOk, from.isSigned];
  const lists = [...from.ttlOffsets.subarray(0, from.ttlCount), ...from.groups.subarray(0, 3 * from.groupCount)];
  return [
    ...opt,
    flags,
    type,
    from.class,
    answers,
    authorities,
    additionals,
    minimumTtl,
    soaTtl,
    soaMinimum,
    rcode,
    udpSize,
    ...flagsFound,
    ...lists,
  ];
}

function checkOpt({ bytes, end }: Placed, random: Random): void {
  assert.ok(scan.optOffset >= scan.questionEnd && scan.optEnd <= end, 'OPT lies behind the question');
  const code = random.pick([8, 10, 15]);
  const at = findOption(bytes, scan.optionsStart, scan.optionsEnd, code);
  assert.ok(at === -1 || (at >= scan.optionsStart && at + 4 <= scan.optionsEnd), 'options lie in OPT');
}

/** What is left of a reply are the records that belong, as they were. */
function checkTrim({ alone, bytes, start }: Placed, expected: ReplyRead, random: Random): void {
  const dnssecOk = random.below(2) === 0;
  const belonging = expectedRelevance(alone, expected, dnssecOk);
  if (belonging === undefined) return;
  const length = trim.trim(bytes, scan, dnssecOk, true, TRIM_ROOM);
  const { kept } = trim.relevance;
  assertSame(Array.from(kept.subarray(0, scan.ttlCount)), belonging.flat().map(Number), 'what belongs is what belongs');
  const isWhole = belonging.flat().every(Boolean);
  if (length === 0) {
    assert.ok(
      isWhole && (scan.optOffset === -1 || scan.optOffset >= scan.recordsEnd),
      'a reply without fault is not touched',
    );
    return;
  }
  assert.ok(length > 0, 'what is short enough can be written');
  const trimmed = TRIM_ROOM.slice(0, length);
  const found = expectedReply(trimmed);
  assert.ok(found !== undefined && scanAlone.scan(trimmed, 0, length), 'what is left is a sound message');
  assertSame(
    trimmed.subarray(12, found.questionEnd),
    bytes.subarray(start + 12, scan.questionEnd),
    'the question stays',
  );
  assert.equal(scanAlone.hasOpt, scan.hasOpt, 'OPT stays');
  if (scan.hasOpt) assert.ok(scanAlone.optOffset >= scanAlone.recordsEnd, 'OPT is last');
  for (const [index, section] of found.sections.entries()) {
    const wanted = expected.sections[index]!.filter((_, i) => belonging[index]![i]);
    checkSubsequence(trimmed, section, alone, wanted);
  }
}

/** Each record found is one of those wanted, in their order; what is missing has malformed RDATA. */
function checkSubsequence(
  trimmed: Uint8Array,
  found: readonly RecordRead[],
  octets: Uint8Array,
  wanted: readonly RecordRead[],
): void {
  let next = 0;
  for (const record of found) {
    const shown = showRecord(trimmed, record);
    while (next < wanted.length && showRecord(octets, wanted[next]!) !== shown) {
      assert.ok(hasNames(wanted[next]!.type), 'only a record with names is given up');
      next++;
    }
    assert.ok(next++ < wanted.length, 'what is left was there');
  }
  for (; next < wanted.length; next++) assert.ok(hasNames(wanted[next]!.type), 'only a record with names is given up');
}

const hasNames = (type: number): boolean => namesIn(type) > 0;

function checkFit(bytes: Uint8Array, random: Random): void {
  const { questionEnd, recordsEnd, answers, authorities, additionals } = scan;
  const room = random.below(recordsEnd - questionEnd + 20);
  fit.fit(bytes, questionEnd, recordsEnd, answers, authorities, additionals, room);
  assert.ok(fit.end >= questionEnd && fit.end <= Math.min(recordsEnd, questionEnd + room), 'what is sent fits');
  assert.ok(
    fit.answers <= answers && fit.authorities <= authorities && fit.additionals <= additionals,
    'no count grows',
  );
  assert.equal(fit.truncated, fit.answers + fit.authorities < answers + authorities, 'TC says that something was cut');
}

/** TTLs counted down and groups turned: nothing but the records is touched. */
function checkChanges({ bytes, start, end, alone }: Placed): void {
  const { questionEnd, recordsEnd } = scan;
  const poison = bytes[0]!;
  subtractTtls(bytes, questionEnd, scan.ttlOffsets, 0, scan.ttlCount, 7);
  capTtls(bytes, questionEnd, scan.ttlOffsets, 0, scan.ttlCount, 1, 3600);
  for (let i = 0; i < scan.groupCount; i++) {
    const [offset, length, count] = [scan.groups[3 * i]!, scan.groups[3 * i + 1]!, scan.groups[3 * i + 2]!];
    if (length > 0) rotateGroup(bytes, questionEnd + offset, length, count);
    else rotateUneven(bytes, questionEnd, offset, recordsEnd, scan.ttlOffsets, scan.ttlCount - count, count);
  }
  for (let i = 0; i < bytes.length; i++) {
    if (i >= questionEnd && i < recordsEnd) continue;
    const wanted = i < start || i >= end ? poison : alone[i - start];
    assert.equal(bytes[i], wanted, 'nothing but the records is changed');
  }
}

const name: Target = (octets, random) => {
  const { alone, bytes, start, end } = new Placed(octets, random);
  const target = NAME_ROOM.fill(0xee);
  for (let i = 0; i < 4; i++) {
    const offset = random.below(octets.length + 1);
    const length = expandName(bytes, start, start + offset, end, target, 5);
    const expected = expectedName(octets, offset);
    const found = length < 0 ? undefined : target.subarray(5, 5 + length);
    assertSame(found, expected, 'a name expands to what it is');
    assert.equal(expandedLength(alone, 0, offset, alone.length), length, 'both walks agree, wherever the name lies');
    assert.ok(target[4] === 0xee && target[260] === 0xee, 'nothing is written outside the room');
    const after = skipName(bytes, start + offset, end);
    assert.equal(after < 0 ? after : after - start, expectedNameEnd(octets, offset), 'a name is skipped to its end');
    if (length > 0) checkText(target, 5, 5 + length);
  }
};

/** The octets as a stream, the high octet of every length made 0, so that there are several frames in it. */
const frames: Target = (octets, random) => {
  const stream = octets.slice();
  for (let at = 0; at + 1 < stream.length; at += 2 + stream[at + 1]!) stream[at] = 0;
  const found: number[] = [];
  const sink = {
    onFrame: (bytes: Uint8Array, start: number, end: number) => found.push(...bytes.subarray(start, end), -1),
  };
  const reader = new FrameReader();
  for (let at = 0; at < stream.length; ) {
    const to = Math.min(stream.length, at + 1 + random.below(random.pick([1, 4, 400])));
    reader.read(stream, at, to, sink);
    at = to;
  }
  const wanted: number[] = [];
  let at = 0;
  for (let next = 0; at + 2 <= stream.length; at = next) {
    next = at + 2 + stream[at + 1]!;
    if (next > stream.length) break;
    wanted.push(...stream.subarray(at + 2, next), -1);
  }
  assertSame(found, wanted, 'frames are the same however the stream is cut');
  assert.equal(reader.isMidFrame, at < stream.length, 'a reader knows whether a frame is open');
};

const TRANSFERS = [251, 252];

/** The octets as a request, and as the first two messages of the answer to it. */
const transfer: Target = (octets, random) => {
  const { alone, bytes, start, end } = new Placed(octets, random);
  if (octets.length < 12) return;
  const type = random.pick(TRANSFERS);
  const questionEnd = 12 + random.below(octets.length - 11);
  const here = new TransferEnd(alone, questionEnd, type);
  const there = new TransferEnd(alone, questionEnd, type);
  for (let i = 0; i < 2; i++) {
    const isLast = here.isLast(alone, 0, alone.length);
    assert.equal(there.isLast(bytes, start, end), isLast, 'a message of a transfer is the last wherever it lies');
    if ((octets[3]! & 15) !== 0) assert.ok(isLast, 'an error ends a transfer');
  }
};

const codec: Target = (octets) => {
  try {
    decodeMessage(octets);
  } catch (error) {
    assert.ok(error instanceof SignpostError && error.code === 'ERR_MALFORMED', `an error of ours, not ${error}`);
  }
};

/** Each with how many mutants in sixteen it gets: the dear ones get fewer. */
export const targets: readonly { readonly name: string; readonly run: Target; readonly share: number }[] = [
  { name: 'query', run: query, share: 16 },
  { name: 'reply', run: reply, share: 16 },
  { name: 'name', run: name, share: 4 },
  { name: 'frames', run: frames, share: 2 },
  { name: 'transfer', run: transfer, share: 4 },
  { name: 'codec', run: codec, share: 1 },
];
