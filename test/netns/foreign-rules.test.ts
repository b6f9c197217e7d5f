import assert from 'node:assert/strict';
import { afterEach, suite, test } from 'node:test';
import { silentLogger } from '../../src/core/logger.ts';
import { findDrops } from '../../src/node-network/foreign-rules.ts';
import { IptablesRules } from '../../src/node-network/iptables.ts';
import { findNodeLocal, hasNodeLocal, removeNodeLocal } from '../../src/node-network/nodelocal-leftovers.ts';
import { run } from '../servers/child.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { enterOwnNetwork } from './own-network.ts';

const HOST = '169.254.20.10';
const HOST6 = 'fd00:20::10';
const LISTEN = [
  { host: HOST, port: 53 },
  { host: HOST6, port: 53 },
];

const skip = skipWithoutNamespaces('unshare', 'mount', 'nft', 'iptables-nft', 'iptables-legacy');
if (!skip) enterOwnNetwork({});

/** Runs lines of a shell, which must succeed. */
async function shell(...lines: string[]): Promise<string> {
  const { code, stdout, stderr } = await run('sh', ['-ec', lines.join('\n')]);
  assert.equal(code, 0, stderr);
  return stdout;
}

const saved = () => shell('for t in iptables-nft iptables-legacy ip6tables-nft; do $t-save; done');
const rulesOf = (text: string) => text.split('\n').filter((line) => line.startsWith('-A'));

async function messages(hasNoTrack = true): Promise<string[]> {
  return (await findDrops(LISTEN, hasNoTrack)).map(({ message }) => message);
}

suite("The host's firewall", { skip }, () => {
  afterEach(async () => {
    await shell(
      'nft flush ruleset',
      'for t in filter raw; do iptables-legacy -t $t -F; iptables-legacy -t $t -X; iptables-legacy -P INPUT ACCEPT; done',
    );
  });

  test('without rules drops nothing', async () => {
    assert.deepEqual(await messages(), []);
  });

  test('is named with the rule that drops, and what to do', async () => {
    await shell(
      'iptables-nft -N WALL',
      'iptables-nft -A INPUT -i lo -j ACCEPT',
      'iptables-nft -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      'iptables-nft -A INPUT -m conntrack --ctstate INVALID -j DROP',
      'iptables-nft -A INPUT -j WALL',
      'iptables-nft -A WALL -p tcp -m multiport --dports 22,443 -j ACCEPT',
      'iptables-nft -A WALL -p udp -j REJECT --reject-with icmp-admin-prohibited',
    );
    const [finding, ...others] = await findDrops(LISTEN, true);
    assert.deepEqual(others, []);
    assert.equal(finding!.code, 'host-drops');
    assert.equal(
      finding!.message,
      'iptables-nft, table filter, chain WALL: the rule -p udp -j REJECT --reject-with icmp-admin-prohibited drops UDP queries to 169.254.20.10:53',
    );
    assert.match(finding!.remedy!, /iptables-nft -I INPUT -d 169\.254\.20\.10 -p udp --dport 53 -j ACCEPT/);
  });

  test("is named by a chain's policy, and by the program that shows it", async () => {
    await shell('iptables-legacy -P INPUT DROP', 'iptables-legacy -A INPUT -p tcp --dport 22 -j ACCEPT');
    assert.deepEqual(await messages(), [
      'iptables-legacy, table filter, chain INPUT: its policy drops UDP queries to 169.254.20.10:53, TCP queries to 169.254.20.10:53',
    ]);
  });

  test('that lets some clients in is not told to drop: they may be the pods', async () => {
    await shell(
      'iptables-nft -P INPUT DROP',
      'iptables-nft -A INPUT -s 10.244.0.0/16 -j ACCEPT',
      'iptables-nft -A INPUT -m mark --mark 0x8000/0x8000 -j DROP',
      'iptables-nft -A INPUT -s 224.0.0.0/4 -j DROP',
    );
    assert.deepEqual(await messages(), []);
    await shell('iptables-nft -I INPUT -s 10.0.0.0/8 -p udp --dport 53 -j DROP');
    assert.equal((await messages()).length, 1);
  });

  test('of nf_tables is named, whatever another table accepts', async () => {
    await shell(`nft -f - <<'END'
      table inet firewalld {
        chain in {
          type filter hook input priority filter + 10; policy accept;
          ct state vmap { established : accept, related : accept, invalid : drop }
          iifname "lo" accept
          tcp dport { 22, 443 } accept
          meta nfproto ipv4 meta l4proto { tcp, udp } th dport 50-60 drop comment "no dns"
          meta l4proto udp jump late
          icmp type echo-request accept
        }
        chain late {
          ip6 daddr fd00::/8 reject
          return
        }
        chain out {
          type filter hook output priority filter; policy accept;
          ip daddr 192.0.2.1 drop
          ip6 saddr ${HOST6} tcp sport 53 drop
        }
      }
      table inet signpost {
        chain in { type filter hook input priority -400; policy accept; ip daddr ${HOST} accept; }
        chain out { type filter hook output priority -400; policy accept; ip saddr ${HOST} udp sport 53 drop; }
      }
END`);
    const found = (await messages()).map((message) => message.replace(/handle \d+/, 'handle N'));
    assert.deepEqual(found, [
      'nft, table inet firewalld, chain in: rule "no dns" (handle N) drops UDP queries to 169.254.20.10:53, TCP queries to 169.254.20.10:53',
      'nft, table inet firewalld, chain late: rule with handle N drops UDP queries to [fd00:20::10]:53',
      'nft, table inet firewalld, chain out: rule with handle N drops TCP replies from [fd00:20::10]:53',
    ]);
  });

  test('drops nothing any more behind rules of ours in iptables', async () => {
    await shell('iptables-nft -P INPUT DROP', 'iptables-nft -P OUTPUT DROP', 'ip6tables-nft -P INPUT DROP');
    assert.equal((await messages()).length, 3);
    const rules = new IptablesRules({ variant: 'nft', log: silentLogger });
    await rules.apply({ listen: LISTEN, hasNoTrack: true, failovers: [] });
    assert.deepEqual(await messages(), []);
    await rules.remove();
    assert.equal((await messages()).length, 3);
  });
});

suite('NodeLocal DNSCache', { skip }, () => {
  /** As its release 1.23 has them: addresses of the link and of the Service. */
  const rules = (tool: string, comment: boolean) => {
    const skipTracking = comment ? '-m comment --comment "NodeLocal DNS Cache: skip conntrack"' : '';
    const allow = comment ? '-m comment --comment "NodeLocal DNS Cache: allow DNS traffic"' : '';
    return [HOST, '10.96.0.10'].flatMap((host) =>
      ['tcp', 'udp'].flatMap((protocol) => [
        `${tool} -t raw -I PREROUTING -p ${protocol} -d ${host} --dport 53 ${skipTracking} -j NOTRACK`,
        `${tool} -t filter -I INPUT -p ${protocol} -d ${host} --dport 53 ${allow} -j ACCEPT`,
        `${tool} -t raw -I OUTPUT -p ${protocol} -s ${host} --sport 53 ${skipTracking} -j NOTRACK`,
        `${tool} -t filter -I OUTPUT -p ${protocol} -s ${host} --sport 53 ${allow} -j ACCEPT`,
        `${tool} -t raw -I OUTPUT -p ${protocol} -d ${host} --dport 53 ${skipTracking} -j NOTRACK`,
        `${tool} -t raw -I OUTPUT -p tcp -d ${host} --dport 8080 ${skipTracking} -j NOTRACK`,
        `${tool} -t raw -I OUTPUT -p tcp -s ${host} --sport 8080 ${skipTracking} -j NOTRACK`,
      ]),
    );
  };
  const foreign = [
    'iptables-nft -A INPUT -d 192.0.2.7/32 -p tcp -m tcp --dport 53 -j ACCEPT',
    'iptables-nft -t raw -A PREROUTING -d 192.0.2.7/32 -p udp -m udp --dport 53 -j NOTRACK',
    'iptables-nft -A INPUT -d 169.254.20.10/32 -p tcp -m tcp --dport 53 -m comment --comment mine -j ACCEPT',
  ];

  test('without leftovers is not found', async () => {
    assert.equal(hasNodeLocal(await findNodeLocal()), false);
  });

  for (const [tool, comment] of [
    ['iptables-nft', true],
    ['iptables-legacy', false],
  ] as const) {
    test(`leaves nothing when it is removed, and rules of others stay (${tool}, ${comment ? 'with' : 'without'} comments)`, async () => {
      await shell(...foreign);
      const before = rulesOf(await saved());
      // Twice: it adds them again and again where its check fails.
      await shell(
        ...rules(tool, comment),
        ...rules(tool, comment),
        'ip link add nodelocaldns type bridge',
        `ip address add ${HOST}/32 dev nodelocaldns`,
      );
      const found = await findNodeLocal();
      assert.equal(found.link, 'nodelocaldns');
      assert.deepEqual([...found.addresses].sort(), ['10.96.0.10', HOST]);
      assert.deepEqual(
        found.rules.map(({ command, rules: own }) => [command.name, own.length]),
        [[tool, 56]],
      );
      assert.deepEqual(await removeNodeLocal(found), [
        `removed 56 rules of NodeLocal DNSCache from ${tool}`,
        'deleted the interface nodelocaldns',
      ]);
      assert.deepEqual(rulesOf(await saved()), before);
      assert.equal(hasNodeLocal(await findNodeLocal()), false);
      await shell(...foreign.map((line) => line.replace(' -A ', ' -D ')));
    });
  }

  test('is not what our own rules are taken for', async () => {
    const ours = new IptablesRules({ variant: 'nft', log: silentLogger });
    await ours.apply({ listen: LISTEN, hasNoTrack: true, failovers: [] });
    assert.equal(hasNodeLocal(await findNodeLocal()), false);
    await ours.remove();
    await shell('nft flush ruleset');
  });
});
