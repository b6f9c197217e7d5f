import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TROUBLES } from '../../../src/core/limits.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { TroubleLog } from '../../../src/core/trouble-log.ts';

interface Line {
  level: string;
  message: string;
  fields: { again?: number };
}

function made() {
  const lines: Line[] = [];
  const write = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields: { ...fields } });
  };
  const log: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const time = { nowMs: 1000 };
  const timers: { callback: () => void; dueMs: number }[] = [];
  const arm = (callback: () => void, delayMs: number) => {
    const timer = { callback, dueMs: time.nowMs + delayMs };
    timers.push(timer);
    return () => {
      if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
    };
  };
  const pass = (ms: number) => {
    time.nowMs += ms;
    for (const timer of timers.filter(({ dueMs }) => dueMs <= time.nowMs)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.callback();
    }
  };
  return { lines, timers, pass, log, troubles: new TroubleLog({ log, clock: { nowMs: () => time.nowMs }, arm }) };
}

test('the first report is logged at once, the rest as one line with their count and the latest fields', () => {
  const { lines, pass, troubles } = made();
  for (let id = 0; id < 1001; id++) troubles.report('bad reply', 'A reply did not match', { id });
  assert.deepEqual(lines, [{ level: 'warn', message: 'A reply did not match', fields: { id: 0 } }]);
  pass(10_000);
  assert.equal(lines.length, 2);
  assert.deepEqual(lines[1]!.fields, { id: 1000, again: 1000, seconds: 10 });
});

test('no timer runs before there is trouble, nor after it is over', () => {
  const { lines, timers, pass, troubles } = made();
  assert.equal(timers.length, 0);
  troubles.report('a', 'A');
  troubles.report('a', 'A');
  assert.equal(timers.length, 1);
  pass(10_000);
  assert.equal(timers.length, 1);
  pass(10_000);
  assert.equal(timers.length, 0);
  assert.equal(troubles.size, 0);
  assert.equal(lines.length, 2);
});

test('trouble that comes back after quiet is logged at once again', () => {
  const { lines, pass, troubles } = made();
  troubles.report('a', 'A');
  pass(10_000);
  troubles.report('a', 'A');
  assert.deepEqual(
    lines.map(({ fields }) => fields),
    [{}, {}],
  );
});

test('trouble that goes on is told once an interval', () => {
  const { lines, pass, troubles } = made();
  for (let second = 0; second < 60; second++) {
    troubles.report('a', 'A', {}, 'error');
    pass(1000);
  }
  assert.equal(lines.length, 7);
  assert.equal(
    lines.reduce((sum, { fields }) => sum + (fields.again ?? 1), 0),
    60,
  );
  assert.ok(lines.every(({ level }) => level === 'error'));
});

test('kinds are told apart up to the limit, and the rest together', () => {
  const { lines, pass, troubles } = made();
  const hits = TROUBLES.hits;
  for (let kind = 0; kind < TROUBLES.value + 50; kind++) troubles.report(`kind ${kind}`, `Kind ${kind}`);
  assert.equal(lines.length, TROUBLES.value + 1);
  assert.equal(troubles.size, TROUBLES.value + 1);
  assert.equal(TROUBLES.hits, hits + 50);
  pass(10_000);
  assert.equal(lines.length, TROUBLES.value + 2);
  assert.deepEqual(lines.at(-1)!.fields, { latest: `Kind ${TROUBLES.value + 49}`, again: 49, seconds: 10 });
});

test('closing tells what was not told yet and leaves no timer', () => {
  const { lines, timers, troubles } = made();
  troubles.report('a', 'A');
  troubles.report('a', 'A');
  troubles.close();
  assert.deepEqual(
    lines.map(({ fields }) => fields),
    [{}, { again: 1, seconds: 1 }],
  );
  assert.equal(timers.length, 0);
});

test('a log that throws does not reach who reports', () => {
  const log: Logger = {
    debug() {},
    info() {},
    warn() {
      throw new Error('full');
    },
    error() {},
  };
  const troubles = new TroubleLog({ log, clock: { nowMs: () => 0 }, arm: () => () => {} });
  troubles.report('a', 'A');
  troubles.report('a', 'A');
  troubles.summarise();
  troubles.close();
  assert.equal(troubles.size, 0);
});

test('its own timer keeps no process alive', () => {
  const { log } = made();
  const troubles = new TroubleLog({ log, clock: { nowMs: () => 0 } });
  const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  troubles.report('a', 'A');
  assert.equal(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length, before);
  troubles.close();
});
