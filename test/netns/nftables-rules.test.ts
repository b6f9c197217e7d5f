import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { NftablesRules } from '../../src/node-network/nftables.ts';
import { renewal, ToolWriter, withdrawal } from '../../src/node-network/nftables-switch.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { enterOwnNetwork } from './own-network.ts';
import { armedNow, LISTEN, ruleset, sh, until, WANTED } from './wanted-network.ts';

const skip = skipWithoutNamespaces('unshare', 'mount', 'nft');
if (!skip) enterOwnNetwork({});

afterEach(() => {
  if (!skip) sh('nft flush ruleset');
});

test('a thousand cycles of writing leave the table as one does', { skip, timeout: 120_000 }, async () => {
  const rules = await NftablesRules.open();
  const without = { ...WANTED.rules, failovers: [] };
  await rules.apply(WANTED.rules);
  const once = ruleset();
  // Most only renew, as on a node; each twentieth writes all anew, twice.
  for (let cycle = 1; cycle <= 1000; cycle++) {
    if (cycle % 20 === 0) await rules.apply(without);
    if (cycle % 20 === 0) await rules.apply(WANTED.rules);
    await rules.renew(WANTED.rules);
  }
  assert.equal(ruleset(), once);
  rules.close();
});

test('a table that is written anew keeps the switch on', { skip }, async () => {
  const rules = await NftablesRules.open();
  await rules.apply(WANTED.rules);
  await rules.renew(WANTED.rules);
  await rules.apply({ ...WANTED.rules, failovers: [] });
  assert.equal((await armedNow()).length, LISTEN.length);
  rules.close();
});

test('where the agent answers, the switch is on with the first rule that asks it', { skip }, async () => {
  const rules = await NftablesRules.open();
  await rules.apply(WANTED.rules, () => true);
  assert.equal((await armedNow()).length, LISTEN.length);
  rules.close();
});

test('an agent that leaves while its table is written leaves with the switch off', { skip }, async () => {
  const rules = await NftablesRules.open();
  let left: Promise<void> | undefined;
  const leave = (): void => {
    left = rules.withdraw(WANTED.rules);
  };
  await rules.apply(WANTED.rules, () => {
    setImmediate(leave);
    return true;
  });
  await left;
  assert.deepEqual(await armedNow(), []);
  rules.close();
});

test('where the system calls cannot be had, nft itself renews and withdraws', { skip }, async () => {
  const rules = await NftablesRules.open();
  await rules.apply(WANTED.rules);
  const writer = new ToolWriter();
  await writer.write(renewal(LISTEN));
  await writer.write(renewal(LISTEN));
  assert.equal((await armedNow()).length, LISTEN.length);
  await writer.write(withdrawal(LISTEN));
  assert.deepEqual(await armedNow(), []);
  rules.close();
});

test('targets that change while rules are written: the latest are what stays', { skip }, async () => {
  const rules = await NftablesRules.open();
  const others = {
    ...WANTED.rules,
    failovers: [{ ...WANTED.rules.failovers[0]!, service: { host: '10.96.0.12', port: 53 } }],
  };
  await Promise.all([WANTED.rules, others, WANTED.rules, others].map((wanted) => rules.apply(wanted)));
  assert.deepEqual(await rules.inspect(others), []);
  rules.close();
});

test('the switch runs out by itself, and can be armed again then', { skip }, async () => {
  const rules = await NftablesRules.open();
  await rules.apply(WANTED.rules);
  await rules.renew(WANTED.rules);
  await until('it has run out', async () => (await armedNow()).length === 0);
  await rules.renew(WANTED.rules);
  assert.equal((await armedNow()).length, LISTEN.length);
  rules.close();
});
