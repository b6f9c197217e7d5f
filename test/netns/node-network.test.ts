import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeNetworkMode } from '../../src/config/config.ts';
import { monotonicClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { HostFacts } from '../../src/node-network/choose-mode.ts';
import { type HostLook, readHostFacts } from '../../src/node-network/host-facts.ts';
import { Link } from '../../src/node-network/link.ts';
import { NftablesRules, readTable } from '../../src/node-network/nftables.ts';
import { NodeNetwork } from '../../src/node-network/node-network.ts';
import { program } from '../servers/programs.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { enterOwnNetwork } from './own-network.ts';
import { armedNow, LISTEN, ruleset, sh, until, WANTED } from './wanted-network.ts';

const skip = skipWithoutNamespaces('unshare', 'mount', 'nft', 'iptables-nft', 'iptables-legacy');
const HANGS = 'SIGNPOST_TEST_NFT_HANGS';
if (!skip) {
  process.env[HANGS] ??= hangingNft();
  enterOwnNetwork({});
}

const opened = new Set<NodeNetwork>();
// What one test has set up is neither minded nor there in the next.
afterEach(async () => {
  if (skip) return;
  for (const network of opened) await network.close();
  opened.clear();
  sh('nft flush ruleset; ip link delete signpost0 2>/dev/null || true');
  await new Link('signpost0').remove(WANTED.addresses);
});

after(() => {
  if (!skip) rmSync(dirname(process.env[HANGS]!), { recursive: true });
});

test('what is taken away, added or changed by others is mended and counted, and never twice there', {
  skip,
}, async () => {
  const network = await armed('auto');
  assert.equal(network.mode, 'nftables');
  const asWritten = ruleset();
  for (const [what, kind] of [
    ['nft flush ruleset', 'rules-missing'],
    ['nft delete table inet signpost', 'rules-missing'],
    ['nft flush chain inet signpost query4', 'rules-missing'],
    ['nft add rule inet signpost query6 drop', 'rules-foreign'],
    ['nft add chain inet signpost stranger', 'rules-foreign'],
    ['nft add element inet signpost listen4 { 192.0.2.1 . 53 }', 'rules-changed'],
    ['nft add rule inet signpost query4 ip daddr 192.0.2.1 drop comment \\"%\\"', 'rules-duplicated'],
    [`ip address delete 169.254.20.10/32 dev ${network.report().link}`, 'address-missing'],
    [`ip address delete fd00:20::10/128 dev ${network.report().link}`, 'address-missing'],
  ] as const) {
    const before = network.report().repairs[kind] ?? 0;
    sh(what.replace('%', firstComment('query4')));
    await until(`mended after ${what}`, () => (network.report().repairs[kind] ?? 0) > before);
    await until(`as written after ${what}`, () => ruleset() === asWritten);
  }
  await until('the switch is on', async () => (await armedNow()).length === LISTEN.length);
  assert.deepEqual(network.report().findings, []);
  assert.deepEqual(network.report().errors['apply'], undefined);
  assert.ok(network.reasons().every(({ ok }) => ok));
});

test('a withdrawal switches off at once and leaves rules and addresses; paused, it leaves the switch to the successor', {
  skip,
}, async () => {
  const network = await armed('nftables');
  const asWritten = ruleset();
  network.pause();
  await network.withdraw();
  assert.equal((await armedNow()).length, LISTEN.length);
  await network.resume();
  const { renewals } = network.report();
  await until('renewed again', () => network.report().renewals > renewals);
  await network.withdraw();
  assert.deepEqual(await armedNow(), []);
  assert.equal(ruleset(), asWritten);
  assert.equal(network.report().state, 'withdrawn');
  assert.deepEqual(await new Link('signpost0').inspect(WANTED.addresses), []);
});

test('an agent that does not serve is not renewed, and says so', { skip }, async () => {
  const network = await open('nftables');
  let isServing = true;
  await network.arm(() => isServing);
  isServing = false;
  await until('the kernel has switched off', async () => (await armedNow()).length === 0);
  assert.ok(network.report().notServing > 0);
  const reason = () => network.reasons().find(({ name }) => name === 'switch')!;
  await until('not ready', () => !reason().ok);
  assert.match(reason().message, /go to the cluster DNS/);
  isServing = true;
  await until('the switch is on', async () => (await armedNow()).length === LISTEN.length);
});

test('what a crash has left is taken over: link, addresses, rules', { skip }, async () => {
  sh('ip link add signpost0 type bridge');
  sh('ip address add 169.254.20.10/32 dev signpost0');
  const network = await armed('nftables');
  assert.equal(network.report().link, 'signpost0');
  const again = await armed('nftables');
  assert.deepEqual(again.report().repairs, {});
  assert.equal((JSON.parse(sh('ip -j address show to 169.254.20.10')) as unknown[]).length, 1);
  sh('ip link delete signpost0');
  await until('addresses are there again', async () => (await new Link('lo').inspect(WANTED.addresses)).length === 0);
  const repairs = () => [network, again].map((one) => one.report().repairs['address-missing'] ?? 0);
  await until('that is counted', () => repairs().some((count) => count > 0));
});

test('where IPv6 is switched off, the error says so and IPv4 is served', { skip }, async () => {
  sh('echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6');
  const link = new Link('signpost0');
  await assert.rejects(link.apply(WANTED.addresses), /Cannot add fd00:20::10 to \S+: .*disable_ipv6/);
  assert.deepEqual(
    (await link.inspect(WANTED.addresses)).map(({ message }) => message.split(' ')[0]),
    ['fd00:20::10'],
  );
  sh('echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip address add ::1/128 dev lo 2>/dev/null || true');
});

test('a tool that hangs holds up neither the switch nor the rest, and is tried again', { skip }, async () => {
  const network = await armed('nftables');
  const hangs = process.env[HANGS]!;
  writeFileSync(hangs, '');
  const { renewals } = network.report();
  sh('nft-as-it-is add chain inet signpost stranger');
  await until('it has been given up', () => network.report().errors['inspect'] === 1);
  assert.ok(network.report().renewals > renewals);
  assert.equal(armedByKernel(), 2);
  rmSync(hangs);
  await until('mended', () => network.report().repairs['rules-foreign'] === 1);
});

test('a tool that hangs does not keep a successor from renewing the switch that it takes over', { skip }, async () => {
  const before = await armed('nftables');
  const next = await open('nftables');
  const hangs = process.env[HANGS]!;
  writeFileSync(hangs, '');
  before.pause();
  const armedAtLast = next.arm(() => true);
  await sleep(5000);
  assert.equal(armedByKernel(), 2);
  rmSync(hangs);
  await armedAtLast;
});

test('pods that come and go are no news of the link', { skip }, async () => {
  const network = await armed('nftables');
  await sleep(1500);
  const { looks } = network.report();
  for (let pod = 0; pod < 5; pod++) {
    sh('ip link add veth-pod type veth peer name veth-end; ip link set veth-pod up; ip link set veth-end up');
    await sleep(20);
    sh('ip link delete veth-pod');
  }
  await sleep(1500);
  assert.equal(network.report().looks, looks);
  sh(`ip address delete 169.254.20.10/32 dev ${network.report().link}`);
  await until('mended', () => network.report().repairs['address-missing'] === 1);
});

test('a mode that was asked for waits for no fact of the host; auto takes what was seen before its turn', {
  skip,
}, async () => {
  const atMs = performance.now();
  const never = { facts: new Promise<never>(() => {}), atMs };
  for (const mode of ['interface', 'nftables'] as const) {
    const network = await open(mode, never);
    await network.arm(() => true);
    assert.deepEqual([network.mode, network.report().state], [mode, 'armed']);
  }
  const seen = { ...(await readHostFacts()), nftTrouble: 'seen before', iptables: undefined };
  assert.equal((await open('auto', { facts: Promise.resolve(seen), atMs })).mode, 'interface');
  // One that has waited behind a newer process for long.
  const old = { facts: Promise.resolve(seen), atMs: atMs - 3_600_000 };
  assert.equal((await open('auto', old)).mode, 'nftables');
});

test('a host with rules of the older iptables and none of nf_tables gets iptables', { skip }, async () => {
  sh('iptables-legacy -A INPUT -p tcp --dport 9 -j ACCEPT');
  const network = await open('auto');
  assert.equal(network.mode, 'iptables');
  sh('iptables-legacy -F INPUT');
});

test('where iptables would drop queries, iptables accepts them before; asked for nftables, the drop is named', {
  skip,
}, async () => {
  sh('iptables-nft -A INPUT -i lo -j ACCEPT; iptables-nft -P INPUT DROP');
  const network = await open('auto');
  assert.equal(network.mode, 'iptables');
  const asked = await armed('nftables');
  await until('it is named', () => asked.reasons().some(({ name }) => name === 'firewall'));
  assert.match(asked.reasons().find(({ name }) => name === 'firewall')!.message, /INPUT: its policy .*remedy: /);
  assert.ok(asked.reasons().every(({ ok }) => ok));
});

test('mode interface adds addresses and no rule', { skip }, async () => {
  const network = await armed('interface');
  assert.equal(ruleset(), '');
  assert.deepEqual(
    network.reasons().map(({ name, ok }) => [name, ok]),
    [['addresses', true]],
  );
});

test('mode off touches nothing', { skip }, async () => {
  const before = sh('ip address; nft list ruleset');
  const network = await armed('off');
  await network.withdraw();
  assert.equal(sh('ip address; nft list ruleset'), before);
  assert.deepEqual(network.reasons(), []);
});

test('what another mode has left is removed', { skip }, async () => {
  const before = await armed('nftables');
  await before.close();
  const network = await armed('iptables');
  await network.clean();
  assert.equal(await readTable(), undefined);
});

test('what a successor of another mode has left is removed, also where the first look at the host ends after it', {
  skip,
}, async () => {
  const first = Promise.withResolvers<HostFacts>();
  const network = await open('nftables', { facts: first.promise, atMs: performance.now() });
  await network.arm(() => true);
  const seen = await readHostFacts();
  const cleaned = network.clean();
  network.pause();
  const successor = await armed('iptables');
  await successor.close();
  assert.match(sh('iptables-nft -S'), /SIGNPOST/);
  await network.resume();
  first.resolve(seen);
  await cleaned;
  await until('removed', () => !sh('iptables-nft -S').includes('SIGNPOST'));
});

test('successors that come and go while it resumes leave it with one watch', { skip }, async () => {
  const network = await armed('nftables');
  const whileArmed = countNetlink();
  for (let cycle = 0; cycle < 5; cycle++) {
    network.pause();
    const resumed = [network.resume()];
    network.pause();
    resumed.push(network.resume());
    await Promise.all(resumed);
  }
  await until('one watch', () => countNetlink() === whileArmed);
  // What is being written for it ends before the next test.
  await network.update(WANTED);
});

test('a successor that comes while it resumes keeps its own rules', { skip }, async () => {
  const network = await armed('nftables');
  network.pause();
  const resumed = network.resume();
  network.pause();
  sh('nft-as-it-is add chain inet signpost successor');
  await resumed;
  await sleep(500);
  assert.match(sh('nft-as-it-is list table inet signpost'), /chain successor/);
});

test('everything can be taken out, and the network is as it was', { skip }, async () => {
  const before = sh('ip address show; nft list ruleset');
  const network = await armed('nftables');
  await network.close();
  const rules = await NftablesRules.open();
  await rules.remove();
  await rules.remove();
  await new Link('signpost0').remove(WANTED.addresses);
  assert.equal(sh('ip address show; nft list ruleset'), before);
  rules.close();
});

async function open(mode: NodeNetworkMode, look?: HostLook): Promise<NodeNetwork> {
  const config = { mode, interface: 'signpost0', hasNoTrack: true };
  const network = await NodeNetwork.open(config, { wanted: WANTED, log: silentLogger, clock: monotonicClock, look });
  opened.add(network);
  await network.prepare();
  return network;
}

async function armed(mode: NodeNetworkMode): Promise<NodeNetwork> {
  const network = await open(mode);
  await network.arm(() => true);
  return network;
}

/** A folder ahead on the PATH with an nft that hangs while a file is there, whose path is returned. */
function hangingNft(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-nft-'));
  const real = program('nft');
  const hangs = join(folder, 'hangs');
  writeFileSync(join(folder, 'nft'), `#!/bin/sh\n[ -e '${hangs}' ] && exec sleep 60\nexec '${real}' "$@"\n`, {
    mode: 0o755,
  });
  symlinkSync(real, join(folder, 'nft-as-it-is'));
  process.env['PATH'] = `${folder}:${process.env['PATH']}`;
  return hangs;
}

/** Sockets of netlink that this process has open. */
function countNetlink(): number {
  const inodes = new Set(
    readFileSync('/proc/self/net/netlink', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/).at(-1)),
  );
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return inodes.has(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1]);
    } catch {
      return false;
    }
  }).length;
}

/** Elements of the switch, whatever `nft` does. */
function armedByKernel(): number {
  return [...sh('nft-as-it-is list set inet signpost armed4').matchAll(/expires/g)].length;
}

function firstComment(chain: string): string {
  return /comment "([^"]*)"/.exec(sh(`nft list chain inet signpost ${chain}`))![1]!;
}
