import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseVariant } from '../../../src/node-network/iptables-variant.ts';

const table = (name: string, ...lines: string[]) => [`*${name}\n${lines.join('\n')}\nCOMMIT\n`];
const EMPTY = table('filter', ':INPUT ACCEPT [0:0]');
const HINT = table('mangle', ':KUBE-IPTABLES-HINT - [0:0]');
const RULES = table('filter', ':INPUT ACCEPT [0:0]', '-A INPUT -i lo -j ACCEPT', '-A INPUT -j ACCEPT');
const PROXY = table('nat', ':KUBE-SERVICES - [0:0]', '-A KUBE-SERVICES -j RETURN');
const OURS = table('nat', ':SIGNPOST-OUTPUT - [0:0]', '-A SIGNPOST-OUTPUT -j RETURN', '-A SIGNPOST-OUTPUT -j RETURN');

test("kubelet's chains decide, then kube-proxy's rules, then any rules, and without any it is nft", () => {
  for (const [nft, legacy, variant, why] of [
    [HINT, RULES, 'nft', /kubelet/],
    [RULES, HINT, 'legacy', /kubelet/],
    [RULES, PROXY, 'legacy', /kube-proxy/],
    [EMPTY, RULES, 'legacy', /rules of others: 2 against 0/],
    [RULES, EMPTY, 'nft', /rules of others/],
    [EMPTY, EMPTY, 'nft', /neither/],
    [EMPTY, OURS, 'nft', /neither/],
    [undefined, RULES, 'legacy', /only/],
    [EMPTY, undefined, 'nft', /only/],
    [undefined, undefined, undefined, /no iptables/],
  ] as const) {
    const choice = chooseVariant({ nft, legacy });
    assert.equal(choice.variant, variant);
    assert.match(choice.why, why);
  }
});
