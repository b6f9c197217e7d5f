import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ask } from '../client/ask.ts';
import type { Message } from '../client/message.ts';
import { assertSameAnswer } from '../client/same-answer.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { CLUSTER } from '../cluster/fixtures.ts';
import { startAgent } from '../servers/agent.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';
import type { NameAndType } from '../servers/zones/questions.ts';

const SERVICES = ['web.shop', 'multi.shop', 'db.shop', 'nohost.shop', 'crowd.shop', 'nobody.shop', 'web.default'];

/** What pods ask, and what only curious ones do. Types that CoreDNS answers with NXDOMAIN at names that exist come after the others of that name. */
const QUESTIONS: readonly NameAndType[] = [
  ...ofEach(
    ['A', 'AAAA', 'SRV', 'MX'],
    [...SERVICES, 'kubernetes.default', 'nothere.shop', 'web.nothere', 'nothere.default'].map(inCluster),
  ),
  ...ofEach(
    ['A', 'AAAA'],
    ['db-0.db.shop', 'db-1.db.shop', 'db-2.db.shop', 'nothere.db.shop', '10-244-1-31.nohost.shop'].map(inCluster),
  ),
  ...ofEach(
    ['SRV', 'A'],
    ['_http._tcp.web.shop', '_https._tcp.multi.shop', '_dns._udp.multi.shop', '_postgres._tcp.db.shop'].map(inCluster),
  ),
  ...ofEach(
    ['SRV'],
    ['_http._udp.web.shop', '_nothere._tcp.web.shop', '_http._tcp.nobody.shop', '_http._tcp.crowd.shop'].map(inCluster),
  ),
  ...ofEach(['A', 'AAAA', 'CNAME'], ['outside.shop', 'inside.shop'].map(inCluster)),
  ...ofEach(
    ['A', 'AAAA'],
    ['cluster.local', 'svc.cluster.local', 'pod.cluster.local', 'shop.svc.cluster.local', 'empty.svc.cluster.local'],
  ),
  ...ofEach(['SOA', 'NS'], ['cluster.local']),
  ...ofEach(
    ['A', 'AAAA'],
    ['10-244-1-11.shop.pod', '10-9-9-9.shop.pod', 'web.shop', 'com', 'www.example.com'].map(
      (name) => `${name}.cluster.local`,
    ),
  ),
  ...ofEach(['A', 'AAAA'], ['www.example.com.shop', 'a.b.c.web.shop', 'nothere.nothere'].map(inCluster)),
  ['dns-version.cluster.local', 'TXT'],
  ...ofEach(
    ['PTR'],
    [
      '1.10.96.10',
      '2.10.96.10',
      '1.0.96.10',
      '11.1.244.10',
      '21.1.244.10',
      '22.1.244.10',
      '31.1.244.10',
      '99.9.244.10',
    ].map((name) => `${name}.in-addr.arpa`),
  ),
  ...ofEach(['A', 'AAAA'], ['WEB.shop', 'Web.Shop'].map(inCluster)),
];

/** The agent against CoreDNS with the kubernetes plugin on a real API server; what that does not know it forwards to BIND. */
suite('cluster names through the agent are what CoreDNS says', {
  skip: skipWithout(...CLUSTER_PROGRAMS, ...NAMED_PROGRAMS),
}, () => {
  let named: Named;
  let cluster: ControlPlane;
  const truths = { plain: [] as Message[], dnssec: [] as Message[] };

  before(async () => {
    named = await startNamed();
    const corefileLines = [`forward . ${named.host}:${named.port}`];
    cluster = await startControlPlane({ objects: CLUSTER, corefileLines });
    for (const [name, type] of QUESTIONS) {
      truths.plain.push(await ask(cluster.clusterDns, { name, type, overTcp: true }));
      truths.dnssec.push(await ask(cluster.clusterDns, { name, type, overTcp: true, dnssecOk: true }));
    }
  });
  after(async () => {
    await cluster.stop();
    await named.stop();
  });

  test('the cluster has answers of every kind', () => {
    assert.ok(QUESTIONS.length >= 100);
    assert.deepEqual([...new Set(truths.plain.map((truth) => truth.rcode))].sort(), [0, 3]);
    assert.ok(truths.plain.some((truth) => truth.answers.length === 60));
  });

  for (const transport of ['tcp', 'udp+tcp'] as const) {
    for (const overTcp of [false, true]) {
      test(`asked over ${overTcp ? 'TCP' : 'UDP'}, cluster DNS ${transport}: first, and again from the cache`, async (t) => {
        const { host, port } = cluster.clusterDns;
        const upstream = `${transport}://${host}:${port}`;
        const agent = await startAgent(['--cluster-dns', upstream, '--upstream', upstream]);
        t.after(() => agent.stop());
        for (const [at, [name, type]] of QUESTIONS.entries()) {
          const question = { name, type, overTcp, isUpstreamUdp: transport !== 'tcp' };
          // Twice on end: most answers live for 5 s, and the whole list may take a busy machine longer.
          for (const _ of ['first', 'from the cache']) {
            await assertSameAnswer(agent, { ...question, truth: truths.plain[at]! });
            await assertSameAnswer(agent, { ...question, dnssecOk: true, truth: truths.dnssec[at]! });
          }
        }
        assert.ok((await agent.scrape()).sum('coredns_cache_hits_total') >= QUESTIONS.length * 2 * 0.9);
      });
    }
  }
});

function ofEach(types: readonly string[], names: readonly string[]): NameAndType[] {
  return names.flatMap((name) => types.map((type): NameAndType => [name, type]));
}

function inCluster(name: string): string {
  return `${name}.svc.cluster.local`;
}
