import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIGURE_NAMES, ON_REQUEST } from '../../../bench/figures/figure.ts';
import { readOptions, UsageError } from '../../../bench/options.ts';

test('without arguments every figure is measured but the longest and those that need root, three rounds of five seconds', () => {
  const figures = FIGURE_NAMES.filter((name) => !ON_REQUEST.includes(name));
  for (const name of ['soak', 'switch', 'snapshot', 'upgrades', 'rest'] as const)
    assert.ok(!figures.includes(name), name);
  assert.ok(figures.includes('hits') && figures.includes('both-dead'));
  assert.deepEqual(readOptions([]), { figures, rounds: 3, seconds: 5, coredns: undefined, peers: [] });
});

test('figures and their order come from the command line', () => {
  const options = readOptions(['misses', 'hits', '--rounds', '7', '--seconds=2', '--coredns', 'bin/coredns']);
  assert.deepEqual(options, { figures: ['misses', 'hits'], rounds: 7, seconds: 2, coredns: 'bin/coredns', peers: [] });
});

test("servers of the user's own are a name and a command that may have = in it", () => {
  const { peers } = readOptions(['--peer', 'mine=env A=b dns {port}', '--peer=node-cache=node-cache -conf Corefile']);
  assert.deepEqual(peers, [
    { name: 'mine', command: 'env A=b dns {port}' },
    { name: 'node-cache', command: 'node-cache -conf Corefile' },
  ]);
});

const refused = [
  ['speed'],
  ['--rounds', '0'],
  ['--rounds', 'many'],
  ['--seconds', '2.5'],
  ['--seconds', '60'],
  ['--fast'],
  ['--peer', 'dns'],
  ['--peer', '=dns'],
  ['--peer', 'a b=dns'],
  ['--peer', 'coredns=dns'],
  ['--peer=mine=a', '--peer', 'mine=b'],
];

for (const args of refused) {
  test(`${args.join(' ')} is refused with what was given`, () => {
    assert.throws(
      () => readOptions(args),
      (error) => error instanceof UsageError && error.message.includes(args.at(-1)!),
    );
  });
}
