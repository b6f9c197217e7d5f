import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mixedSample, queryLines, serviceNames, uniqueNames, zipfSample } from '../../../bench/names.ts';

test('service names differ from each other and are names of services', () => {
  const names = serviceNames(10_000);
  assert.equal(new Set(names).size, 10_000);
  assert.match(names[9_999]!, /^service-\d+\.ns-\d+\.svc\.cluster\.local$/);
});

test('unique names never repeat, nor do those of another prefix', () => {
  const names = [...uniqueNames('q', 50_000), ...uniqueNames('w', 50_000)];
  assert.equal(new Set(names).size, 100_000);
});

test('the first name of a Zipf sample comes twice as often as the second and ten times as often as the tenth', () => {
  const names = serviceNames(100);
  const counts = new Map<string, number>();
  for (const name of zipfSample(names, 200_000)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const count = (rank: number) => counts.get(names[rank - 1]!)!;
  // The sum of 1/r up to 100 is 5.187, so the first has 19.3% of all draws.
  assert.ok(Math.abs(count(1) / 200_000 - 1 / 5.187) < 0.01, `${count(1)}`);
  assert.ok(Math.abs(count(1) / count(2) - 2) < 0.15, `${count(1)} : ${count(2)}`);
  assert.ok(Math.abs(count(1) / count(10) - 10) < 1, `${count(1)} : ${count(10)}`);
  assert.equal(counts.size, 100);
});

test('each tenth name of a mixed sample is new, and all others are known', () => {
  const known = serviceNames(100);
  const sample = mixedSample(known, 'q', 1000);
  const fresh = sample.filter((name) => !known.includes(name));
  assert.equal(sample.length, 1000);
  assert.equal(new Set(fresh).size, 100);
});

test('every run asks for the same names in the same order', () => {
  const names = serviceNames(1000);
  assert.deepEqual(zipfSample(names, 500), zipfSample(names, 500));
});

test('a query file has a name and its type on each line, and no line without', () => {
  assert.equal(queryLines(['a.example', 'b.example']), 'a.example A\nb.example A\n');
});
