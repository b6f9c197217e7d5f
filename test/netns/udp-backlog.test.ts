import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { UDP_KINDS } from '../../src/listen/udp-opener.ts';
import { refuseInCi, skipWithout } from '../servers/programs.ts';

/** A network of its own with a loopback of its own: what is done to it nobody else sees. */
const NETWORK = ['unshare', '--net', 'sh', '-c'];
const SLOW = 'tc qdisc add dev lo root tbf rate 8kbit burst 10000 limit 1000000';

const [command, ...args] = NETWORK;
const probe = spawnSync(command!, [...args, `ip link set lo up && ${SLOW}`], { encoding: 'utf8' });
const skip =
  skipWithout('unshare', 'ip', 'tc') ||
  (probe.status === 0 ? false : refuseInCi(`cannot make lo slow: ${probe.stderr}`));

for (const kind of UDP_KINDS) {
  for (const bytes of [1000, 4000]) {
    test(`${kind}: while the kernel takes no answers of ${bytes} octets, a bounded number waits unharmed, and the rest is dropped`, {
      skip,
    }, () => {
      const program = join(import.meta.dirname, 'udp-backlog.ts');
      const { status, stderr } = spawnSync(
        command!,
        [...args, `ip link set lo up && exec '${process.execPath}' '${program}' '${SLOW}' ${kind} ${bytes}`],
        { encoding: 'utf8', timeout: 60_000 },
      );
      assert.equal(status, 0, stderr);
    });
  }
}
