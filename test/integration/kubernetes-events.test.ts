import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Server } from '../client/ask.ts';
import { type Message, TYPES } from '../client/message.ts';
import { texts } from '../client/same-answer.ts';
import { clusterRights, writeAgentKubeconfig } from '../cluster/agent-rights.ts';
import { type Change, ChangingCluster } from '../cluster/changing-cluster.ts';
import { differencesOf, questionsOf } from '../cluster/conformance.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { endpoint, endpointSlice, namespace, port, service } from '../cluster/fixtures.ts';
import { both, DUAL_STACK_RANGES, SPECIFICATION_CLUSTER } from '../cluster/specification-cluster.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';
import type { NameAndType } from '../servers/zones/questions.ts';

const HTTP = port('http', 80);
/** Answers live for an hour: what changes sooner does so by an event. */
const ANSWER_SECONDS = 3600;
const PATIENCE_MS = 20_000;
const CONFIGURATION = ['cluster.local', 'in-addr.arpa', 'ip6.arpa']
  .map((zone) => `  ${zone}: {cache: {maxTtl: 1h, negativeMaxTtl: 1h}}\n`)
  .join('');

/** With the least rights, on a real API server and CoreDNS; every question whose answer a change makes another is cached before. */
suite('after an event, cached answers are what the cluster DNS says now', {
  skip: skipWithout(...CLUSTER_PROGRAMS, ...NAMED_PROGRAMS),
}, () => {
  let folder: string;
  let named: Named;
  let cluster: ControlPlane;
  let agent: Agent;
  let objects: ChangingCluster;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signpost-events-'));
    named = await startNamed();
    const corefileLines = [`forward . ${named.host}:${named.port}`];
    cluster = await startControlPlane({
      objects: [...SPECIFICATION_CLUSTER, ...clusterRights({})],
      corefileLines,
      serviceRanges: DUAL_STACK_RANGES,
      answerSeconds: ANSWER_SECONDS,
    });
    objects = new ChangingCluster(cluster.api, SPECIFICATION_CLUSTER);
    await writeAgentKubeconfig(join(folder, 'kubeconfig'), cluster);
    await writeFile(join(folder, 'signpost.yaml'), `zones:\n${CONFIGURATION}`);
    const upstream = `tcp://${cluster.clusterDns.host}:${cluster.clusterDns.port}`;
    const flags = ['--cluster-dns', upstream, '--upstream', upstream, '--kubernetes', join(folder, 'kubeconfig')];
    agent = await startAgent([...flags, '--config', join(folder, 'signpost.yaml')]);
    await isFollowed();
  });
  after(async () => {
    await agent?.stop();
    await cluster?.stop();
    await named?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const isFollowed = () =>
    agent.child.waitUntil(
      'following',
      async () => (await agent.scrape()).sum('signpost_kubernetes_followed', { feature: 'services' }) === 2,
    );

  /** Caches what `change` makes otherwise, changes it, and waits until the cluster DNS and then the agent have it so. */
  async function follow(change: Change): Promise<void> {
    const questions = objects.questionsOf(change);
    assert.ok(questions.length > 0);
    await assertAllRight(agent, questions);
    // Answers with DO are entries of their own.
    await Promise.all(questions.map(([name, type]) => ask(agent, { name, type, dnssecOk: true })));
    await objects.apply(change);
    await becomesRight(cluster.clusterDns, 'the cluster DNS', questions);
    await becomesRight(agent, 'the agent', questions);
    for (const [name, type] of questions) {
      const askOverTcp = (server: Server, dnssecOk?: boolean) =>
        ask(server, { name, type, overTcp: true, ...(dnssecOk && { dnssecOk }) });
      const truth = textsOf(await askOverTcp(cluster.clusterDns));
      assert.deepEqual(textsOf(await askOverTcp(agent)), truth, `${name} ${type}`);
      assert.deepEqual(textsOf(await askOverTcp(agent, true)), truth, `${name} ${type} DO`);
    }
  }

  /** Each of them is answered without the cluster DNS. */
  async function assertFromCache(questions: readonly NameAndType[]): Promise<void> {
    const hits = async () => {
      // The pages made in one second are bounded; what else has been asked must be in this one.
      await sleep(1100);
      return (await agent.scrape()).sum('coredns_cache_hits_total');
    };
    const earlier = await hits();
    await answersOf(agent, questions);
    assert.ok((await hits()) - earlier >= questions.length);
  }

  async function becomesRight(server: Server, title: string, questions: readonly NameAndType[]): Promise<void> {
    await agent.child.waitUntil(
      `reached by the change: ${title} does not give it`,
      async () => (await wrongOf(server, questions)).length === 0,
      PATIENCE_MS,
    );
  }

  async function assertAllRight(server: Server, questions: readonly NameAndType[]): Promise<void> {
    assert.deepEqual(await wrongOf(server, questions), []);
  }

  /** The questions among these that are not answered as the objects are now. */
  async function wrongOf(server: Server, questions: readonly NameAndType[]): Promise<readonly string[]> {
    const asked = new Set(questions.map(String));
    const answers = await answersOf(server, questions);
    const requirements = objects.requirements.filter(({ question }) => asked.has(String(question)));
    const differences = differencesOf(requirements, (question) => answers.get(String(question))!);
    const wanted = new Set(questionsOf(requirements).map(String));
    const gone = questions.filter((question) => !wanted.has(String(question)));
    const left = gone.filter((question) => answers.get(String(question))!.answers.length > 0);
    return [...differences.flatMap((difference) => difference.questions), ...left].map(String);
  }

  const slicesOf = (name: string, spec: Record<string, unknown>, endpoints: Parameters<typeof service>[3]): Change => ({
    put: service('shop', name, spec, endpoints).filter(({ kind }) => kind === 'EndpointSlice'),
  });
  const DB = { ports: [port('postgres', 5432), port('admin', 8432)] };
  const HEADLESS = { clusterIP: 'None', ports: [HTTP] };

  test('an endpoint that is no longer ready, and one that has become so: addresses, SRV, its name, PTR', () =>
    follow(
      slicesOf('db', DB, [
        ...both(21, { hostname: 'db-0' }),
        ...both(22, { hostname: 'db-1', conditions: { ready: false } }),
        ...both(23, { hostname: 'db-2' }),
      ]),
    ));

  test('an endpoint with another hostname: the old name is gone, the new one there, and the address leads to it', () =>
    follow(
      slicesOf('db', DB, [
        ...both(21, { hostname: 'db-zero' }),
        ...both(22, { hostname: 'db-1', conditions: { ready: false } }),
        ...both(23),
      ]),
    ));

  test('the first endpoint of a headless Service that had none, and the last one of another', async () => {
    await follow(slicesOf('nobody', HEADLESS, [endpoint('10.244.1.51', { hostname: 'somebody' })]));
    await follow(slicesOf('mixed', HEADLESS, []));
  });

  test('a slice more, a slice less, and one that is handed to another Service', async () => {
    const [ports, endpoints] = [[HTTP], [endpoint('10.244.1.57')]];
    await follow({ put: [endpointSlice('shop', 'v4pods', ports, endpoints, { name: 'v4pods-2' })] });
    await follow({ put: [endpointSlice('shop', 'early', ports, endpoints, { name: 'v4pods-2' })] });
    await follow({ deleted: [objects.find('EndpointSlice', 'shop', 'v4pods-2')] });
  });

  test('new Services whose names had been asked for in vain', () =>
    follow({
      put: [
        ...service('shop', 'late', { clusterIP: '10.96.10.61', ports: [HTTP] }, [endpoint('10.244.1.61')]),
        ...service('shop', 'later', HEADLESS, [endpoint('10.244.1.62', { hostname: 'later-0' })]),
      ],
    }));

  test('the first Service of a namespace that was not there', () =>
    follow({
      put: [
        namespace('fresh'),
        ...service('fresh', 'web', { clusterIP: '10.96.10.63', ports: [HTTP] }),
        ...service('fresh', 'db', HEADLESS, [endpoint('10.244.1.64', { hostname: 'db-0' })]),
      ],
    }));

  test('Services that are gone, one with ClusterIP and one headless', () =>
    follow({
      deleted: ['web', 'twins'].flatMap((name) => [
        objects.find('Service', 'shop', name),
        objects.find('EndpointSlice', 'shop', `${name}-1`),
        objects.find('EndpointSlice', 'shop', `${name}-6`),
      ]),
    }));

  test('an ExternalName that leads elsewhere', async () => {
    await follow({ put: service('shop', 'outside', { type: 'ExternalName', externalName: 'two.example.test' }) });
    const { answers } = await ask(agent, { name: inShop('outside'), type: 'A' });
    assert.equal(answers.length, 3);
  });

  /** The cluster DNS, then the agent, give this address of the name in `shop`. */
  async function leadsTo(name: string, address: string): Promise<void> {
    for (const server of [cluster.clusterDns, agent]) {
      const addresses = async () => {
        const { answers } = await ask(server, { name: inShop(name), type: 'A' });
        return answers.filter(({ type }) => type === TYPES['A']).map(({ data }) => data);
      };
      await agent.child.waitUntil(
        `led there: ${name}`,
        async () => (await addresses()).join() === address,
        PATIENCE_MS,
      );
    }
  }

  test('an alias within the cluster, when what it leads to is another', async () => {
    await objects.apply({ put: service('shop', 'alias', { type: 'ExternalName', externalName: inShop('unsaid') }) });
    await leadsTo('alias', '0af4012e');
    await follow(slicesOf('unsaid', HEADLESS, both(47)));
    await leadsTo('alias', '0af4012f');
  });

  // CoreDNS says of such an alias that it has no address, and not where it leads.
  test('an alias to a Service that is not there yet, when it comes, and when its first endpoint does', async () => {
    for (const target of ['coming', 'filling']) {
      await objects.apply({
        put: service('shop', `to-${target}`, { type: 'ExternalName', externalName: inShop(target) }),
      });
    }
    await objects.apply({ put: service('shop', 'filling', HEADLESS, []) });
    const names = ['to-coming', 'to-filling'].map(inShop);
    await agent.child.waitUntil('told of the aliases', async () => {
      const answers = await answersOf(
        agent,
        names.map((name) => [name, 'CNAME']),
      );
      return [...answers.values()].every(({ rcode }) => rcode === 0);
    });
    await answersOf(
      agent,
      names.flatMap((name): NameAndType[] => [
        [name, 'A'],
        [name, 'AAAA'],
      ]),
    );
    await objects.apply({ put: service('shop', 'coming', { clusterIP: '10.96.10.91', ports: [HTTP] }) });
    await leadsTo('to-coming', '0a600a5b');
    await objects.apply(slicesOf('filling', HEADLESS, [endpoint('10.244.1.91')]));
    await leadsTo('to-filling', '0af4015b');
  });

  test('what a change does not touch is answered from the cache all the while', async () => {
    const questions = objects.requirements
      .map(({ question }) => question)
      .filter(([name]) => /^(_http\._tcp\.)?(nohost|crowd)\./.test(name));
    await answersOf(agent, questions);
    await follow(slicesOf('early', HEADLESS, both(42, { hostname: 'early-0' })));
    await assertFromCache(questions);
  });

  test('while the API server is away all is answered, and what changed meanwhile is there when it is back', async () => {
    const change = slicesOf('v4pods', HEADLESS, [endpoint('10.244.1.81'), endpoint('10.244.1.82')]);
    const questions = objects.questionsOf(change);
    await assertAllRight(agent, questions);
    await cluster.restartApi(async () => {
      await agent.child.waitUntil(
        'aware of it',
        async () => (await agent.scrape()).sum('signpost_kubernetes_followed', { feature: 'services' }) === 0,
      );
      assert.equal((await fetch(`${agent.adminUrl}/ready`)).status, 200);
      await assertAllRight(agent, questions);
    });
    await objects.apply(change);
    await becomesRight(cluster.clusterDns, 'the cluster DNS', questions);
    await isFollowed();
    await becomesRight(agent, 'the agent', questions);
  });
});

function inShop(name: string): string {
  return `${name}.shop.svc.cluster.local`;
}

async function answersOf(server: Server, questions: readonly NameAndType[]): Promise<Map<string, Message>> {
  const answers = questions.map(async (question) => {
    const [name, type] = question;
    return [String(question), await ask(server, { name, type })] as const;
  });
  return new Map(await Promise.all(answers));
}

/** All that is compared of an answer. The serial number in an SOA is when the cluster DNS last heard of anything. */
function textsOf({ rcode, answers, authorities }: Message): unknown {
  return { rcode, answers: texts(answers), authorities: authorities.map(({ owner, type }) => `${owner} ${type}`) };
}
