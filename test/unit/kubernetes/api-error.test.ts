import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusError } from '../../../src/kubernetes/api-error.ts';
import type { Status } from '../../../src/kubernetes/api-objects.ts';

const status = (fields: Partial<Status>): Status => ({ kind: 'Status', ...fields });

test('each answer of the API server is one kind of trouble', () => {
  const troubles: readonly [code: number, status: Status | undefined, trouble: string][] = [
    [401, undefined, 'unauthorized'],
    [403, undefined, 'forbidden'],
    [404, undefined, 'missing'],
    [410, undefined, 'expired'],
    [504, status({ details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } }), 'expired'],
    [504, undefined, 'busy'],
    [429, undefined, 'busy'],
    [503, undefined, 'busy'],
    [400, undefined, 'unsupported'],
    [422, undefined, 'unsupported'],
    [500, undefined, 'failed'],
    [302, undefined, 'failed'],
  ];
  for (const [code, said, trouble] of troubles)
    assert.equal(statusError('look', code, said).trouble, trouble, `${code}`);
});

test('what the server says is in the message, and no more than a line of it', () => {
  const error = statusError('watch things', 403, status({ message: 'x'.repeat(5000) }));
  assert.equal(error.code, 'ERR_KUBERNETES_FORBIDDEN');
  assert.match(error.message, /^Cannot watch things: the API server answers 403: x{300}$/);
});

test('the time that the server asks to wait is taken from its header or its body, and is bounded', () => {
  assert.equal(statusError('look', 429, undefined, '3').retryAfterMs, 3000);
  assert.equal(statusError('look', 429, status({ details: { retryAfterSeconds: 2 } })).retryAfterMs, 2000);
  assert.equal(statusError('look', 429, undefined, '1e9').retryAfterMs, 300_000);
  assert.equal(statusError('look', 429, undefined, 'Wed, 21 Oct 2026 07:28:00 GMT').retryAfterMs, 0);
  assert.equal(statusError('look', 429, undefined, '-1').retryAfterMs, 0);
});
