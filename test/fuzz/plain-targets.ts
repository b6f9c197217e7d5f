import assert from 'node:assert/strict';
import { MessageScan } from '../../src/wire/message-scan.ts';
import { PlainTargets } from '../../src/wire/plain-targets.ts';
import { rotateUneven } from '../../src/wire/rotate.ts';
import { expectedReply, type ReplyRead } from './oracle.ts';
import { showRecord } from './show-record.ts';

/** Octets alone, and in the middle of others from `start` on. */
interface PlacedReply {
  readonly alone: Uint8Array;
  readonly bytes: Uint8Array;
  readonly start: number;
}

const ROOM = new Uint8Array(65_535);
const plainTargets = new PlainTargets();
const again = new MessageScan();

/** PTR records without pointers say what they said with them, and can change their places. */
export function checkPlainTargets(scan: MessageScan, { alone, bytes, start }: PlacedReply, expected: ReplyRead): void {
  const length = plainTargets.write(bytes, scan, ROOM);
  if (length === 0) return;
  const written = ROOM.slice(0, length);
  const found = expectedReply(written);
  assert.ok(found !== undefined && again.scan(written, 0, length), 'what is written is a sound message');
  assert.deepEqual(written.slice(0, found.questionEnd), bytes.slice(start, scan.questionEnd), 'its head stays');
  assert.deepEqual([...again.groups.subarray(0, 3 * again.groupCount)], [0, 0, scan.answers], 'all can change places');
  assert.equal(again.recordsEnd, scan.hasOpt ? again.optOffset : length, 'OPT stays, and nothing else');
  assert.deepEqual(shown(written, found), shown(alone, expected), 'records stay');
}

/** Records of different lengths that change places say what they said, and their TTLs are where they are said to be. */
export function checkUneven(scan: MessageScan, { alone, start }: PlacedReply, expected: ReplyRead): void {
  const at = 3 * scan.groupCount - 3;
  if (at < 0 || scan.groups[at + 1] !== 0) return;
  const [offset, count] = [scan.groups[at]!, scan.groups[at + 2]!];
  const octets = alone.slice();
  const ttlOffsets = scan.ttlOffsets.slice(0, scan.ttlCount);
  const [questionEnd, recordsEnd] = [scan.questionEnd - start, scan.recordsEnd - start];
  const first = scan.ttlCount - count;
  rotateUneven(octets, questionEnd, offset, recordsEnd, ttlOffsets, first, count);
  const found = expectedReply(octets);
  assert.ok(found !== undefined, 'what has changed its place is sound');
  const wanted = shown(alone, expected);
  wanted.push(...wanted.splice(first, 1));
  assert.deepEqual(shown(octets, found), wanted, 'the first of them is the last');
  assert.deepEqual([...ttlOffsets], found.ttlOffsets, 'TTLs lie where they lie');
}

function shown(octets: Uint8Array, { sections: [answers] }: ReplyRead): string[] {
  return answers!.map((record) => showRecord(octets, record));
}
