import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ask } from '../client/ask.ts';
import type { Message } from '../client/message.ts';
import { assertSameAnswer } from '../client/same-answer.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { CLUSTER, namespace } from '../cluster/fixtures.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

const TYPES = ['A', 'AAAA', 'SRV', 'TXT', 'MX', 'HTTPS'] as const;

/** What stands before the zone: every shape that there is and is not, in namespaces that exist and others. */
const NAMES: readonly string[] = [
  '',
  ...['svc', 'pod', 'dns', 'ns.dns', 'x.ns.dns', 'x.dns-version', 'com', 'www.com', 'svc.com', 'svc.pod'],
  ...inNamespaces(['', 'web.', 'nothere.', 'x.web.', 'y.x.web.', 'z.y.x.web.', 'svc.', 'web.shop.svc.cluster.local.']),
  ...inNamespaces(['www.example.com.', 'example.com.', 'other.com.', '_http._tcp.web.', '_tcp.web.', '_tcp.']),
  ...[
    'db-0.db',
    'db-2.db',
    'x.db',
    'x.db-0.db',
    '10-244-1-31.nohost',
    'x.nobody',
    'y.x.nobody',
    'nobody',
    'outside',
  ].map((name) => `${name}.shop.svc`),
  ...['x.outside', 'inside', 'x.inside', 'az1._zone.db', 'pin.az1._zone.db', 'a.b._zone.nothere'].map(
    (name) => `${name}.shop.svc`,
  ),
  // Entries of the cluster DNS's own, at names that Services would have.
  ...['alias', 'x.alias', 'vault', 'x.vault', 'y.x.vault'].map((name) => `${name}.shop.svc`),
  ...['shop.pod', 'nothere.pod', '10-9-9-9.shop.pod', '10-9-9-9.nothere.pod', 'x.10-9-9-9.shop.pod', 'web.shop.pod'],
  ...['www.example.com', 'web.shop', 'web.shop.svc.cluster.local', 'one.example.test', '_http._tcp.web.shop'],
];

const QUESTIONS = NAMES.flatMap((name) =>
  TYPES.map((type) => ({ name: name === '' ? 'cluster.local' : `${name}.cluster.local`, type })),
);

/** `--search local` against CoreDNS itself, with the Services known and without. */
suite('what is answered from other names is what the cluster DNS says', {
  skip: skipWithout(...CLUSTER_PROGRAMS, ...NAMED_PROGRAMS),
}, () => {
  let named: Named;
  let cluster: ControlPlane;
  const truths = new Map<string, Message>();

  before(async () => {
    named = await startNamed();
    const corefileLines = [
      'rewrite name alias.shop.svc.cluster.local web.shop.svc.cluster.local',
      'hosts {',
      '  192.0.2.77 vault.shop.svc.cluster.local',
      '  fallthrough',
      '}',
      `forward . ${named.host}:${named.port}`,
    ];
    cluster = await startControlPlane({ objects: [...CLUSTER, namespace('svc')], corefileLines });
    for (const { name, type } of QUESTIONS) {
      truths.set(`${name} ${type}`, await ask(cluster.clusterDns, { name, type, overTcp: true }));
    }
  });
  after(async () => {
    await cluster?.stop();
    await named?.stop();
  });

  async function compare(agent: Agent, questions: readonly (typeof QUESTIONS)[number][]): Promise<void> {
    for (const question of questions) {
      await assertSameAnswer(agent, { ...question, truth: truths.get(`${question.name} ${question.type}`)! });
    }
  }

  for (const kubernetes of ['off', 'on'] as const) {
    test(`Kubernetes API ${kubernetes}: from the top, from the bottom, and in any order`, async (t) => {
      const { host, port } = cluster.clusterDns;
      const upstream = `tcp://${host}:${port}`;
      const api = kubernetes === 'on' ? cluster.kubeconfig : 'off';
      const flags = ['--cluster-dns', upstream, '--upstream', upstream, '--kubernetes', api, '--search', 'local'];
      const agent = await startAgent(flags);
      t.after(() => agent.stop());
      const followed = async () => (await agent.scrape()).count('signpost_kubernetes_followed');
      if (kubernetes === 'on') await agent.child.waitUntil('following', async () => (await followed()) === 2);
      await compare(agent, QUESTIONS);
      await compare(agent, QUESTIONS.toReversed());
      for (let seed = 1; seed <= 3; seed++) await compare(agent, shuffled(QUESTIONS, seed));
      const metrics = await agent.scrape();
      const by = (what: string) => metrics.sum('signpost_search_answers_total', { by: what });
      assert.ok(by('cut') > 100, `${by('cut')} names by cuts`);
      assert.equal(by('services') > 100, kubernetes === 'on', `${by('services')} names by Services`);
    });
  }
});

function inNamespaces(heads: readonly string[]): string[] {
  return ['shop', 'empty', 'nothere', 'com', 'svc'].flatMap((name) => heads.map((head) => `${head}${name}.svc`));
}

/** The same order for the same seed. */
function shuffled<T>(values: readonly T[], seed: number): T[] {
  const order = values.map((value, at) => ({ value, key: Math.imul(at + 1, 0x9e3779b1 * seed) >>> 0 }));
  return order.sort((a, b) => a.key - b.key).map(({ value }) => value);
}
