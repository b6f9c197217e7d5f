import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillIn } from '../../../bench/servers/peer.ts';

test('placeholders of a command are filled in, each time they stand there', () => {
  assert.equal(
    fillIn('dns -p {port} -u {upstream} -m {port}', { port: '53', upstream: 'a:1' }),
    'dns -p 53 -u a:1 -m 53',
  );
});

test('braces that are no placeholder stay as they are', () => {
  assert.equal(fillIn("sh -c 'dns {HOME} {other} {}'", { port: '53' }), "sh -c 'dns {HOME} {other} {}'");
});
