import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ask, type Server } from '../client/ask.ts';
import { FLAGS, type Message } from '../client/message.ts';
import { assertSameAnswer, texts } from '../client/same-answer.ts';
import { differencesOf, nameOf, questionsOf } from '../cluster/conformance.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { KINDS, requirementsOf } from '../cluster/specification.ts';
import { DUAL_STACK_RANGES, SPECIFICATION_CLUSTER } from '../cluster/specification-cluster.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { type CoreDns, startCoreDns } from '../servers/coredns.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';
import type { NameAndType } from '../servers/zones/questions.ts';

const REQUIREMENTS = requirementsOf(SPECIFICATION_CLUSTER);
const SPECIFIED = questionsOf(REQUIREMENTS);

/** What no section asks for, and pods or tools ask all the same. */
const FURTHER: readonly NameAndType[] = [
  ['cluster.local', 'SOA'],
  ['cluster.local', 'NS'],
  ['ns.dns.cluster.local', 'A'],
  ...['cluster.local', 'svc.cluster.local', 'pod.cluster.local', 'shop.svc.cluster.local', 'com.cluster.local'].map(
    (name): NameAndType => [name, 'A'],
  ),
  // The family that a Service or an endpoint does not have, and the alias by its address.
  ...['unnamed', 'v4pods', 'outside', 'inside', 'astray', 'crowd'].map(ofShop('AAAA')),
  ...['v6only', 'v6pods', 'outside', 'inside', 'astray'].map(ofShop('A')),
  ...['web', 'db', 'unnamed', '_http._udp.web', '_nothere._tcp.web', '_http._tcp.nobody'].map(ofShop('SRV')),
  ...['WEB', 'Db-0.DB', 'nothere', 'nothere.db', 'a.b.c.web', 'www.example.com'].map(ofShop('A')),
  ['1.0.96.10.in-addr.arpa', 'PTR'],
  ['9.9.96.10.in-addr.arpa', 'PTR'],
  ['244.10.in-addr.arpa', 'PTR'],
];
/** Services of a set of clusters: shared, headless, one cluster's part of it, and none. */
const OF_CLUSTER_SET: readonly NameAndType[] = [
  ...['web', 'db', 'db-0.east.db', 'nothere', '_http._tcp.web', 'www.example.com'].flatMap((name) =>
    ['A', 'AAAA', 'SRV'].map((type): NameAndType => [`${name}.shop.svc.clusterset.local`, type]),
  ),
  ['clusterset.local', 'SOA'],
];
const QUESTIONS: readonly NameAndType[] = [...SPECIFIED, ...FURTHER, ...OF_CLUSTER_SET];

let named: Named;
let cluster: ControlPlane;
const truths = new Map<string, Message>();

suite('every record of the Kubernetes DNS specification 1.1.0 comes through the agent as the cluster DNS gives it', {
  skip: skipWithout(...CLUSTER_PROGRAMS, ...NAMED_PROGRAMS),
}, () => {
  let agent: Agent;

  before(async () => {
    named = await startNamed();
    const corefileLines = [`forward . ${named.host}:${named.port}`];
    cluster = await startControlPlane({
      objects: SPECIFICATION_CLUSTER,
      corefileLines,
      serviceRanges: DUAL_STACK_RANGES,
      clusterSetZone: 'clusterset.local',
    });
    for (const [name, type] of QUESTIONS) {
      truths.set(`${name} ${type}`, await ask(cluster.clusterDns, { name, type, overTcp: true }));
    }
    agent = await startAgent([...flagsFor(cluster.clusterDns), '--kubernetes', 'off']);
  });
  after(async () => {
    await agent?.stop();
    await cluster?.stop();
    await named?.stop();
  });

  test('the cluster DNS keeps it, in every kind of record', () => {
    assert.deepEqual(
      differencesOf(REQUIREMENTS, truthOf).map((difference) => nameOf(difference, 'the cluster DNS')),
      [],
    );
    const kinds = new Set(REQUIREMENTS.map(({ kind }) => kind));
    assert.deepEqual(
      Object.values(KINDS).filter((kind) => !kinds.has(kind)),
      [],
    );
  });

  for (const [how, overTcp, isKnowing] of [
    ['asked over UDP', false, false],
    ['asked over TCP', true, false],
    ['with all that it can know of the cluster', true, true],
  ] as const) {
    test(`${how}, the agent's answers are the cluster DNS's own, first and from the cache`, async (t) => {
      const knowing = ['--kubernetes', cluster.kubeconfig, '--search', 'complete', '--lease', '--node-names'];
      const flags = isKnowing ? knowing : ['--kubernetes', 'off'];
      const own = await startAgent([...flagsFor(cluster.clusterDns), ...flags]);
      t.after(() => own.stop());
      if (isKnowing) await own.child.waitUntil('following', async () => (await followed(own)) === 2);
      for (const question of QUESTIONS) {
        await assertSame(own, question, { overTcp, isFirst: true });
        await assertSame(own, question, { overTcp, isFirst: false });
      }
      assert.ok((await own.scrape()).sum('coredns_cache_hits_total') >= QUESTIONS.length * 0.9);
    });
  }

  test('what the agent gives keeps the specification as well, from the cache too', async () => {
    for (const _ of ['first', 'from the cache']) {
      const answers = await answersOf(agent, SPECIFIED);
      assert.deepEqual(
        differencesOf(REQUIREMENTS, ([name, type]) => answers.get(`${name} ${type}`)!),
        [],
      );
    }
  });

  test('the names that a set of clusters shares are there to be passed on', () => {
    const given = OF_CLUSTER_SET.map((question) => truthOf(question));
    assert.deepEqual([...new Set(given.map(({ rcode }) => rcode))].sort(), [0, 3]);
    assert.deepEqual(texts(truthOf(['db.shop.svc.clusterset.local', 'A']).answers), [
      'db.shop.svc.clusterset.local. 1 1 0ac80101',
      'db.shop.svc.clusterset.local. 1 1 0ac90101',
    ]);
  });

  test('a cluster DNS that gives the names of fewer addresses is called by what it lacks, and the agent adds nothing to it', async (t) => {
    const poor = await startPoorDns(cluster.clusterDns);
    t.after(() => poor.stop());
    const poorAgent = await startAgent([...flagsFor(poor), '--kubernetes', 'off']);
    t.after(() => poorAgent.stop());
    for (const [server, title] of [
      [poor, 'the cluster DNS'],
      [poorAgent, 'the agent'],
    ] as const) {
      const answers = await answersOf(server, SPECIFIED);
      const differences = differencesOf(REQUIREMENTS, ([name, type]) => answers.get(`${name} ${type}`)!);
      assert.deepEqual(
        differences.map((difference) => nameOf(difference, title)),
        [`PTR for endpoints without hostname is missing at ${title}`],
      );
      assert.equal(differences[0]!.questions.length, differences[0]!.of);
    }
  });

  test('each address of a Service is the first one in turn, and so is each name of an address', async () => {
    const shared = SPECIFIED.filter((question) => question[1] === 'PTR' && truthOf(question).answers.length > 1);
    assert.ok(shared.length > 0, 'addresses with several names');
    for (const [name, type, count] of [
      ['db.shop.svc.cluster.local', 'AAAA', 2],
      ['mixed.shop.svc.cluster.local', 'A', 4],
      ['crowd.shop.svc.cluster.local', 'A', 60],
      ...shared.map((question) => [...question, truthOf(question).answers.length] as const),
    ] as const) {
      const first = new Set<string>();
      for (let at = 0; at < count * 2; at++) {
        first.add((await ask(agent, { name, type, overTcp: true })).answers[0]!.data);
      }
      assert.equal(first.size, count, name);
    }
  });
});

function ofShop(type: string): (name: string) => NameAndType {
  return (name) => [`${name}.shop.svc.cluster.local`, type];
}

/**
 * A cluster DNS whose PTR are those of ClusterIPs and of endpoints with hostname alone, and otherwise as `whole`: so were CoreDNS 1.11.4 to
 * 1.12.0. Held against CoreDNS 1.12.0 itself, this test's requirements name the same.
 */
function startPoorDns(whole: Server): Promise<CoreDns> {
  const kept = REQUIREMENTS.filter(({ kind }) => kind === KINDS.ptr || kind === KINDS.namedPtr);
  const records = kept.map(({ question: [name], data }) => `${name}. 30 PTR \\# ${data.length / 2} ${data}\n`).join('');
  const soa = '@ 30 SOA ns.dns hostmaster 1 7200 1800 86400 30\n@ 30 NS ns.dns\n';
  return startCoreDns({
    corefile: (port) => `.:${port} {
  bind 127.0.0.1
  file reverse4 in-addr.arpa
  file reverse6 ip6.arpa
  forward . ${whole.host}:${whole.port} {
    force_tcp
  }
}
`,
    files: {
      reverse4: soa + linesOf(records, 'in-addr.arpa'),
      reverse6: soa + linesOf(records, 'ip6.arpa'),
    },
    readyName: 'kubernetes.default.svc.cluster.local',
  });
}

function linesOf(records: string, zone: string): string {
  return records.replaceAll(/^.*$/gm, (line) => (line.includes(zone) ? line : ''));
}

function flagsFor({ host, port }: Server): string[] {
  const upstream = `tcp://${host}:${port}`;
  return ['--cluster-dns', upstream, '--upstream', upstream, '--route', `clusterset.local=${upstream}`];
}

async function followed(agent: Agent): Promise<number> {
  return (await agent.scrape()).count('signpost_kubernetes_followed', { feature: 'services' });
}

function truthOf([name, type]: NameAndType): Message {
  return truths.get(`${name} ${type}`)!;
}

async function answersOf(server: Server, questions: readonly NameAndType[]): Promise<Map<string, Message>> {
  const answers = new Map<string, Message>();
  for (const [name, type] of questions)
    answers.set(`${name} ${type}`, await ask(server, { name, type, overTcp: true }));
  return answers;
}

/** Sections and code by `assertSameAnswer`; AA, and that no TTL is longer than the cluster DNS's own or, at first, spent. */
async function assertSame(
  agent: Server,
  question: NameAndType,
  { overTcp, isFirst }: { overTcp: boolean; isFirst: boolean },
): Promise<void> {
  const [name, type] = question;
  const truth = truthOf(question);
  await assertSameAnswer(agent, { name, type, overTcp, truth });
  const reply = await ask(agent, { name, type, overTcp: true });
  const label = `${name} ${type}${isFirst ? '' : ' from the cache'}`;
  assert.equal(reply.flags & FLAGS.AA, truth.flags & FLAGS.AA, `${label}: AA`);
  const most = Math.max(...[...truth.answers, ...truth.authorities].map(({ ttl }) => ttl));
  for (const { ttl } of [...reply.answers, ...reply.authorities]) {
    assert.ok(ttl <= most && (ttl > 0 || !isFirst), `${label}: TTL ${ttl}, at the cluster DNS ${most}`);
  }
}
