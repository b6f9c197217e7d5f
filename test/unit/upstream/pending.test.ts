import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exchange } from '../../../src/upstream/exchange.ts';
import { BAD_ID, BAD_MALFORMED, BAD_QUESTION, PendingTable } from '../../../src/upstream/pending.ts';
import { RandomIds } from '../../../src/upstream/random-ids.ts';
import { encodeQuestion } from '../../client/message.ts';
import { answerTo } from './scripted-server.ts';

class Question extends Exchange {
  constructor(name: string, type = 'A') {
    const message = encodeQuestion({ name, type, id: 0 });
    super(message, message.length, message.length);
  }

  override onReply(): void {}
  override onUnreachable(): void {}
  override onTimeout(): void {}
}

/** The query as it would have gone out. */
function sent(exchange: Exchange, id: number): Buffer {
  const query = Buffer.alloc(exchange.length);
  exchange.copyTo(query, 0, id);
  return query;
}

test('no two queries in flight share an id, to the last slot', () => {
  const table = new PendingTable(1024, new RandomIds());
  const ids = new Set<number>();
  for (let i = 0; i < 1024; i++) ids.add(table.take(new Question('a.test'), 0));
  assert.equal(ids.size, 1024);
  assert.equal(table.isFull, true);
  assert.equal(table.take(new Question('a.test'), 0), -1);
});

test('ids cannot be foretold: all 16 bits vary, and they do not follow each other', () => {
  const table = new PendingTable(1024, new RandomIds());
  let ones = new Array<number>(16).fill(0);
  let neighbours = 0;
  let last = 0;
  const count = 4000;
  for (let i = 0; i < count; i++) {
    const id = table.take(new Question('a.test'), 0);
    table.release(table.slotOf(id));
    ones = ones.map((sum, bit) => sum + ((id >> bit) & 1));
    if (Math.abs(id - last) <= 1) neighbours++;
    last = id;
  }
  // 12 standard deviations of a fair coin.
  for (const sum of ones) assert.ok(Math.abs(sum - count / 2) < 400, `${ones}`);
  assert.ok(neighbours < 10);
});

test('a reply is known by its id and its question, the name in any case', () => {
  const table = new PendingTable(64, new RandomIds());
  const exchange = new Question('WwW.Example.test');
  const id = table.take(exchange, 0);
  const reply = answerTo(sent(exchange, id));
  assert.equal(table.at(table.find(reply, 0, reply.length, false)), exchange);
  const lower = Buffer.from(reply.toString('latin1').toLowerCase(), 'latin1');
  lower.set(reply.subarray(0, 12));
  assert.equal(table.at(table.find(lower, 0, lower.length, false)), exchange);
  const padded = Buffer.concat([Buffer.alloc(7, 0xff), reply]);
  assert.equal(table.at(table.find(padded, 7, padded.length, false)), exchange);
});

test('what is no reply to the question is told from what is', () => {
  const table = new PendingTable(64, new RandomIds());
  const exchange = new Question('www.example.test', 'HTTPS');
  const id = table.take(exchange, 0);
  const good = answerTo(sent(exchange, id));
  const changed = (offset: number, octet: number): Buffer => {
    const copy = Buffer.from(good);
    copy[offset] = octet;
    return copy;
  };
  const find = (message: Buffer, isStream = true): number => table.find(message, 0, message.length, isStream);
  assert.ok(find(good) >= 0);
  assert.equal(find(good.subarray(0, 11)), BAD_MALFORMED);
  assert.equal(find(Buffer.alloc(0)), BAD_MALFORMED);
  assert.equal(find(changed(2, 0x01)), BAD_MALFORMED, 'a query is no reply');
  assert.equal(find(changed(0, good[0]! ^ 1)), BAD_ID);
  assert.equal(find(changed(1, good[1]! ^ 1)), BAD_ID);
  assert.equal(find(changed(14, 'x'.charCodeAt(0))), BAD_QUESTION);
  assert.equal(find(good.subarray(0, exchange.questionEnd - 1)), BAD_QUESTION);
  // Type 65 is the letter A: it must not be folded to 97.
  assert.equal(find(changed(exchange.questionEnd - 3, 97)), BAD_QUESTION);
  assert.equal(find(changed(exchange.questionEnd - 1, 3)), BAD_QUESTION);
  assert.equal(find(changed(5, 2)), BAD_QUESTION);
});

test('an error without question counts over TCP only', () => {
  const table = new PendingTable(64, new RandomIds());
  const exchange = new Question('www.example.test');
  const bare = answerTo(sent(exchange, table.take(exchange, 0)), { rcode: 1 }).subarray(0, 12);
  bare[5] = 0;
  assert.ok(table.find(bare, 0, 12, true) >= 0);
  assert.equal(table.find(bare, 0, 12, false), BAD_QUESTION);
  bare[3] = 0x80;
  assert.equal(table.find(bare, 0, 12, true), BAD_QUESTION, 'NOERROR without question');
});

test('slots keep the order of asking, whichever are given free', () => {
  const table = new PendingTable(64, new RandomIds());
  const slots = Array.from({ length: 40 }, (_, i) => table.slotOf(table.take(new Question(`n${i}.test`), i)));
  const left = slots.filter((slot, i) => {
    if (i % 3 !== 0 && i !== 39) return true;
    table.release(slot);
    return false;
  });
  const walked: number[] = [];
  for (let slot = table.head; slot >= 0; slot = table.after(slot)) walked.push(slot);
  assert.deepEqual(walked, left);
  for (const slot of left) table.release(slot);
  assert.equal(table.head, -1);
  assert.equal(table.size, 0);
  const slot = table.slotOf(table.take(new Question('last.test'), 0));
  assert.equal(table.head, slot);
});

test('the id of a question that nobody waits for stays reserved until its reply can no longer come', () => {
  const table = new PendingTable(64, new RandomIds());
  const exchange = new Question('a.test');
  table.take(exchange, 1000);
  table.releaseLost(9000, 5000);
  assert.equal(table.size, 1, 'still waited for');
  exchange.isDone = true;
  table.releaseLost(5900, 5000);
  assert.equal(table.size, 1);
  table.releaseLost(6100, 5000);
  assert.equal(table.size, 0);
});

test('what waits for a late reply tells it by a copy of its own, for the message is used again', () => {
  const table = new PendingTable(1024, new RandomIds());
  const exchange = new Question('a.test');
  const { message } = exchange;
  const id = table.take(exchange, 0);
  exchange.places++;
  const reply = answerTo(sent(exchange, id));
  exchange.finish();
  message.fill(0x61);
  assert.equal(table.find(reply, 0, reply.length, true), table.slotOf(id));
});
