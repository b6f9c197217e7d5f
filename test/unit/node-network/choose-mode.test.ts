import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseMode, type HostFacts } from '../../../src/node-network/choose-mode.ts';

const FACTS: HostFacts = {
  nftTrouble: undefined,
  nftTables: [],
  iptables: 'nft',
  iptablesWhy: 'only iptables-nft is installed',
  leftovers: [],
  iptablesDrop: undefined,
};

function auto(facts: Partial<HostFacts>) {
  return chooseMode('auto', { ...FACTS, ...facts });
}

test('what is asked for is taken, whatever the host has', () => {
  assert.equal(chooseMode('iptables', { ...FACTS, iptables: undefined }).mode, 'iptables');
  assert.equal(chooseMode('nftables', { ...FACTS, nftTrouble: 'no nft' }).mode, 'nftables');
  assert.equal(chooseMode('interface', FACTS).mode, 'interface');
});

test('nftables where the kernel has it, whichever of the two newer ways kube-proxy uses', () => {
  assert.equal(auto({}).mode, 'nftables');
  assert.equal(auto({ nftTables: ['ip nat', 'ip filter'] }).mode, 'nftables');
  assert.deepEqual(auto({ nftTables: ['ip6 kube-proxy'] }), { mode: 'nftables', reason: 'kube-proxy uses nftables' });
  assert.equal(auto({ iptables: undefined }).mode, 'nftables');
});

test('iptables where nf_tables cannot be used, or the host lives by the older iptables alone', () => {
  assert.deepEqual(auto({ nftTrouble: 'nft is not installed' }), { mode: 'iptables', reason: 'nft is not installed' });
  assert.equal(auto({ iptables: 'legacy' }).mode, 'iptables');
  assert.equal(auto({ iptables: 'legacy', nftTables: ['inet filter'] }).mode, 'nftables');
});

test('iptables where only its rules can come before one that drops queries', () => {
  const choice = auto({ iptablesDrop: 'the policy of INPUT' });
  assert.equal(choice.mode, 'iptables');
  assert.match(choice.reason, /the policy of INPUT/);
});

test('addresses alone where no rules can be set', () => {
  const choice = auto({
    nftTrouble: 'nft is not installed',
    iptables: undefined,
    iptablesWhy: 'no iptables is installed',
  });
  assert.equal(choice.mode, 'interface');
  assert.match(choice.reason, /nft is not installed, and no iptables is installed/);
});
