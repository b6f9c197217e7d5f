import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlast, requireGoodAnswers } from '../../../bench/generator.ts';

const LINE =
  'qps 252367 answered 504773 lost 3 bad 2 noerror 504770 nxdomain 1 servfail 2 refused 0 wrapped 7 busy 97 latency_us p50=1884.2 p90=2445.0 p99=2976.1 p99.9=9452.0\n';

test("every field of a generator's line is read", () => {
  assert.deepEqual(parseBlast(LINE), {
    answersPerSecond: 252_367,
    answered: 504_773,
    lost: 3,
    bad: 2,
    noError: 504_770,
    wrapped: 7,
    busyPercent: 97,
    p50Us: 1884.2,
    p99Us: 2976.1,
  });
});

test('a server that answered nothing has zeros and no percentiles, not an error', () => {
  const line = 'qps 0 answered 0 lost 12 bad 0 noerror 0 nxdomain 0 servfail 0 refused 0 wrapped 0 busy 1 latency_us\n';
  const { answered, lost, p50Us } = parseBlast(line);
  assert.deepEqual({ answered, lost, p50Us }, { answered: 0, lost: 12, p50Us: Number.NaN });
});

test('a line that is not from dnsblast is refused with what is missing', () => {
  assert.throws(() => parseBlast('connect: Connection refused\n'), /no qps in "connect: Connection refused/);
});

test('a run with errors or losses is no figure, however fast', () => {
  const good = parseBlast(LINE);
  requireGoodAnswers(good);
  assert.throws(() => requireGoodAnswers({ ...good, noError: 400_000 }), /400000 NOERROR of 504773/);
  assert.throws(() => requireGoodAnswers({ ...good, lost: 10_000 }), /10000 lost/);
  assert.throws(() => requireGoodAnswers(good, 600_000), /504773 of 600000/);
  assert.throws(() => requireGoodAnswers({ ...good, answered: 0, noError: 0, lost: 0 }), /0 NOERROR of 0/);
});
