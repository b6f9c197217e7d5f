import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { readTable } from '../../src/node-network/nftables.ts';
import { armedElements } from '../../src/node-network/nftables-listing.ts';
import type { WantedState } from '../../src/node-network/wanted-state.ts';

export const LISTEN = ['169.254.20.10', '10.96.0.10', 'fd00:20::10'].map((host) => ({ host, port: 53 }));

/** What is wanted of the network that the test file has for itself. */
export const WANTED: WantedState = {
  link: 'signpost0',
  addresses: LISTEN.map(({ host }) => host),
  rules: {
    listen: LISTEN,
    hasNoTrack: true,
    failovers: [
      { family: 4, listen: LISTEN[0]!, service: { host: '10.96.0.11', port: 53 }, targets: [] },
      { family: 6, listen: LISTEN[2]!, service: { host: 'fd00:96::b', port: 5353 }, targets: [] },
    ],
  },
};

/** Elements of the switch. */
export async function armedNow() {
  const table = await readTable();
  return table === undefined ? [] : armedElements(table);
}

/** Our table as nft prints it, without the elements of the switch. */
export function ruleset(): string {
  return sh('nft -s list ruleset')
    .split('\n\n')
    .filter((block) => !/set (?:armed|leaving|moved)[46] /.test(block))
    .join('\n\n');
}

export function sh(command: string): string {
  return execFileSync('sh', ['-c', command], { encoding: 'utf8' });
}

export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 15_000; performance.now() < end; await sleep(50)) if (await isSo()) return;
  assert.fail(`still not so: ${what}`);
}
