import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logText } from '../../../src/agent/log-text.ts';

const TIME = '2026-01-02T03:04:05.678Z';

function text(fields: object): string {
  return logText(JSON.stringify({ level: 'info', time: TIME, ...fields }));
}

test('a line has time, level, message and the fields, in this order', () => {
  const line = text({ address: '127.0.0.1:5300', count: 3, isUp: true, message: 'Listening' });
  assert.equal(line, `${TIME} INFO  Listening address=127.0.0.1:5300 count=3 isUp=true\n`);
});

test('values that could not be told apart are quoted', () => {
  const line = text({ message: 'm', a: 'two words', b: 'x=y', c: '', d: 'say "so"', e: ['x', 1], f: null });
  assert.equal(line, `${TIME} INFO  m a="two words" b="x=y" c="" d="say \\"so\\"" e=["x",1] f=null\n`);
});

test('an error is its message and its code, on the same line', () => {
  const err = { type: 'StartError', message: 'Cannot listen', code: 'ERR_LISTEN', stack: 'Error: …\n  at here' };
  assert.equal(text({ message: 'Failed', err }), `${TIME} INFO  Failed err="Cannot listen (ERR_LISTEN)"\n`);
});

test('nothing from the network can write to the terminal but letters', () => {
  const line = text({ message: 'a\u001b[31mb\nc', name: 'x\u009b0m', key: 'y\u2028z' });
  assert.equal(line, `${TIME} INFO  a\\u001b[31mb\\u000ac name=x\\u009b0m key="y\\u2028z"\n`);
});
