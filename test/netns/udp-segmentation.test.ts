import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { refuseInCi, skipWithout } from '../servers/programs.ts';

/** A network of its own with a loopback of its own. */
const NETWORK = ['--net', 'sh', '-c'];

const probe = spawnSync('unshare', [...NETWORK, 'ip link set lo mtu 120 up'], { encoding: 'utf8' });
const skip =
  skipWithout('unshare', 'ip') || (probe.status === 0 ? false : refuseInCi(`cannot make a network: ${probe.stderr}`));

for (const [mtu, outcome] of [
  ['65536', 'taken'],
  ['120', 'refused'],
] as const) {
  test(`answers to one client leave together; where the interface refuses that (MTU ${mtu}: ${outcome}), all arrive one by one`, {
    skip,
  }, () => {
    const program = join(import.meta.dirname, 'udp-segmentation.ts');
    const { status, stderr } = spawnSync(
      'unshare',
      [...NETWORK, `ip link set lo mtu ${mtu} up && exec '${process.execPath}' '${program}' ${outcome}`],
      { encoding: 'utf8', timeout: 60_000 },
    );
    assert.equal(status, 0, stderr);
  });
}
