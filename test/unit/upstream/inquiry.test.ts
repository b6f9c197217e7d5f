import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inquiry, type InquiryOwner } from '../../../src/upstream/inquiry.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';
import { encodeQuestion } from '../../client/message.ts';

test('the time of a question counts from when it was asked, not from when it left', () => {
  let nowMs = 1000;
  const delays: number[] = [];
  const upstream = { ask: () => true, isFull: () => false, waiting: 0 } as unknown as Upstream;
  const owner: InquiryOwner = {
    tryMs: 1000,
    totalMs: 1500,
    nowMs: () => nowMs,
    chooseFirst: () => upstream,
    chooseNext: () => undefined,
    hedgeAfterMs: () => 0,
    chooseExtra: () => undefined,
    chooseHedge: () => undefined,
    setTimer: (_timer, delayMs) => void delays.push(delayMs),
    clearTimer() {},
    onRefused: () => assert.fail('refused'),
  };
  const message = encodeQuestion({ name: 'n.test', type: 'A', id: 0 });
  const never = (): void => assert.fail('it has not ended');
  const inquiry = new Inquiry(owner, {
    message,
    questionEnd: message.length,
    end: message.length,
    onAnswer: never,
    onFailure: never,
  });
  nowMs += 900;
  inquiry.depart();
  assert.deepEqual(delays, [600]);
});
