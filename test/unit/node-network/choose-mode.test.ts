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
  return chooseMode('auto', async () => ({ ...FACTS, ...facts }));
}

test('what is asked for is taken, and nobody looks at the host for it', async () => {
  const facts = () => assert.fail('the host was looked at');
  for (const asked of ['iptables', 'nftables', 'interface', 'off'] as const)
    assert.equal((await chooseMode(asked, facts)).mode, asked);
});

test('nftables where the kernel has it, whichever of the two newer ways kube-proxy uses', async () => {
  assert.equal((await auto({})).mode, 'nftables');
  assert.equal((await auto({ nftTables: ['ip nat', 'ip filter'] })).mode, 'nftables');
  assert.deepEqual(await auto({ nftTables: ['ip6 kube-proxy'] }), {
    mode: 'nftables',
    reason: 'kube-proxy uses nftables',
  });
  assert.equal((await auto({ iptables: undefined })).mode, 'nftables');
});

test('iptables where nf_tables cannot be used, or the host lives by the older iptables alone', async () => {
  assert.deepEqual(await auto({ nftTrouble: 'nft is not installed' }), {
    mode: 'iptables',
    reason: 'nft is not installed',
  });
  assert.equal((await auto({ iptables: 'legacy' })).mode, 'iptables');
  assert.equal((await auto({ iptables: 'legacy', nftTables: ['inet filter'] })).mode, 'nftables');
});

test('iptables where only its rules can come before one that drops queries', async () => {
  const choice = await auto({ iptablesDrop: 'the policy of INPUT' });
  assert.equal(choice.mode, 'iptables');
  assert.match(choice.reason, /the policy of INPUT/);
});

test('addresses alone where no rules can be set', async () => {
  const choice = await auto({
    nftTrouble: 'nft is not installed',
    iptables: undefined,
    iptablesWhy: 'no iptables is installed',
  });
  assert.equal(choice.mode, 'interface');
  assert.match(choice.reason, /nft is not installed, and no iptables is installed/);
});
