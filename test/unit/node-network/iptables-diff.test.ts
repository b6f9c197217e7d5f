import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareDump, hasOwnRules, readBack, restoreText } from '../../../src/node-network/iptables-diff.ts';
import { parseDump } from '../../../src/node-network/iptables-dump.ts';
import { wantedChains } from '../../../src/node-network/iptables-rules.ts';
import type { WantedRules } from '../../../src/node-network/wanted-state.ts';

const LISTEN = { host: '169.254.20.10', port: 5353 };
const features = { isArmed: () => '-m set --match-set on dst,dst', isDisarmed: () => '', hasU32: true, hasZones: true };
const wanted: WantedRules = {
  listen: [LISTEN],
  hasNoTrack: true,
  failovers: [{ family: 4, listen: LISTEN, service: undefined, targets: [{ host: '10.244.1.53', port: 53 }] }],
};
const chains = wantedChains(wanted, 4, features);

/** What the tools would print after `text` was written over nothing. */
function written(text: string): string {
  const jumps = [...text.matchAll(/^-I (\S+) 1 (.*)$/gm)];
  return text
    .replaceAll(/^-[IDX] .*\n/gm, '')
    .replaceAll(
      /^\*(\w+)$/gm,
      (line) =>
        `${line}\n${['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'].map((hook) => `:${hook} ACCEPT [0:0]`).join('\n')}`,
    )
    .replaceAll(
      /^:SIGNPOST-(\S+) .*$/gm,
      (line, hook) =>
        `${line}\n${jumps
          .filter(([, at]) => at === hook)
          .slice(0, 1)
          .map(([, at, rule]) => `-A ${at} ${rule}`)
          .join('')}`,
    );
}

const right = written(restoreText(parseDump(''), chains)!);

test('what was written is as wanted', () => {
  assert.deepEqual(compareDump(parseDump(right), chains, 'iptables-nft'), []);
});

test('rules match no other address and no other port than the listen addresses have', () => {
  for (const { rules } of chains) {
    for (const rule of rules) {
      assert.match(rule, /169\.254\.20\.10/);
      assert.match(rule, /5353|0x14e9/);
    }
  }
});

test('a family that nobody listens on has no rules, and what is there of it goes', () => {
  assert.deepEqual(wantedChains(wanted, 6, features), []);
  const dump = parseDump(right);
  assert.equal(hasOwnRules(dump), true);
  const text = restoreText(dump, [])!;
  assert.doesNotMatch(text, /^-[AI]/m);
  assert.equal([...text.matchAll(/^-X SIGNPOST-/gm)].length, chains.length);
  assert.equal([...text.matchAll(/^-D (?:PREROUTING|INPUT|OUTPUT|POSTROUTING) /gm)].length, chains.length);
  assert.equal(restoreText(parseDump(''), []), undefined);
});

test('every jump that is there goes before one is put in: as often as it is there', () => {
  const jump = '-A PREROUTING -m comment --comment "signpost: DNS of this node" -j SIGNPOST-PREROUTING';
  const dump = parseDump(right.replaceAll(jump, `${jump}\n${jump}\n-A PREROUTING -j SIGNPOST-PREROUTING`));
  const codes = compareDump(dump, chains, 'iptables-nft').map(({ code }) => code);
  assert.deepEqual(new Set(codes), new Set(['rules-duplicated']));
  const text = restoreText(dump, chains)!;
  assert.equal([...text.matchAll(/^-D PREROUTING/gm)].length, 6);
  assert.equal([...text.matchAll(/^-I PREROUTING 1/gm)].length, 2);
});

test('a rule of others that drops in front of ours is found', () => {
  const dump = parseDump(right.replace('-A INPUT -m comment', '-A INPUT -p udp -j DROP\n-A INPUT -m comment'));
  assert.deepEqual(
    compareDump(dump, chains, 'iptables-nft').map(({ code }) => code),
    ['rules-behind'],
  );
});

test('a version that prints rules in a way of its own is not mended for ever', () => {
  const strange = parseDump(right.replaceAll('-j CT --notrack', '-j CT --untracked-by-another-name'));
  const readings = new Map<string, string>();
  assert.notDeepEqual(compareDump(strange, chains, 'iptables-nft', readings), []);
  readBack(strange, chains, readings);
  assert.deepEqual(compareDump(strange, chains, 'iptables-nft', readings), []);
  assert.deepEqual(compareDump(parseDump(right), chains, 'iptables-nft', readings), []);
});

test('without NOTRACK a query stays here while the switch is on, before anybody else translates it', () => {
  const tracked = wantedChains({ ...wanted, hasNoTrack: false }, 4, features);
  const rules = (table: string, hook: string) =>
    tracked.find((chain) => chain.table === table && chain.hook === hook)?.rules;
  assert.match(
    rules('nat', 'PREROUTING')![0]!,
    /--match-set on dst,dst -j DNAT --to-destination 169\.254\.20\.10:5353$/,
  );
  assert.ok(rules('raw', 'PREROUTING')!.every((rule) => rule.endsWith('-j CT --zone-orig 53')));
  const plain = wantedChains({ ...wanted, hasNoTrack: false }, 4, { ...features, hasZones: false });
  assert.equal(
    plain.some(({ table }) => table === 'raw'),
    false,
  );
});
