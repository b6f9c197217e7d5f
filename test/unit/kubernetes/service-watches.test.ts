import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../../../src/core/logger.ts';
import { ApiClient } from '../../../src/kubernetes/api-client.ts';
import { Backoff } from '../../../src/kubernetes/backoff.ts';
import { ServiceWatches } from '../../../src/kubernetes/service-watches.ts';
import { type Script, type ScriptedAnswer, ScriptedApi } from '../../servers/scripted-api.ts';

const SERVICES = '/api/v1/services';
const SLICES = '/apis/discovery.k8s.io/v1/endpointslices';

const service = (name: string, resourceVersion: string) => ({ metadata: { name, namespace: 'shop', resourceVersion } });
const slice = (of: string, resourceVersion: string) => ({
  metadata: { name: `${of}-x7k2p`, namespace: 'shop', resourceVersion, labels: { 'kubernetes.io/service-name': of } },
});

/** What there is, by path, and the answers that are open. */
class House {
  readonly open = new Map<string, ScriptedAnswer>();
  readonly told: string[] = [];
  readonly objects: Record<string, object[]> = { [SERVICES]: [service('web', '1')], [SLICES]: [slice('web', '2')] };
  readonly forbidden = new Set<string>();
  version = '9';
  skewMs = 0;
  api!: ScriptedApi;
  watches!: ServiceWatches;

  static async open(t: TestContext): Promise<House> {
    const house = new House();
    const api = await ScriptedApi.open(house.#script);
    const access = { server: api.url, isInsecure: false, origin: 'a test', credentials: async () => ({}) };
    const client = new ApiClient(access);
    const clock = { nowMs: () => performance.now() + house.skewMs };
    const backoff = () => new Backoff({ firstMs: 2, mostMs: 10 });
    const tell = (text: string) => void house.told.push(text);
    const watches = new ServiceWatches(
      { client, clock, log: silentLogger, backoff },
      {
        added: (namespace, name, isNew) => tell(`${isNew ? 'new' : 'known'} ${namespace}/${name}`),
        changed: (namespace, name) => tell(`changed ${namespace}/${name}`),
        deleted: (namespace, name) => tell(`deleted ${namespace}/${name}`),
        endpointsChanged: (namespace, name) => tell(`endpoints ${namespace}/${name}`),
        following: (services, both) => tell(`following ${services} ${both}`),
      },
    );
    t.after(async () => {
      watches.close();
      await client.close();
      await api.close();
    });
    house.api = api;
    house.watches = watches;
    watches.start();
    return house;
  }

  readonly #script: Script = ({ path, kind }, answer) => {
    if (this.forbidden.has(path)) return answer.refuse(403);
    this.open.set(
      path,
      kind === 'first watch' ? answer.initial(this.version, this.objects[path] as never) : answer.begin(),
    );
  };

  get isFollowed(): boolean {
    return this.watches.watches.every(({ isFollowing }) => isFollowing);
  }

  /** What was told since the last call. */
  news(): string[] {
    return this.told.splice(0);
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    for (let tries = 0; !isSo(); tries++) {
      if (tries > 2000) assert.fail(`not ${what}: ${JSON.stringify([this.told, this.watches.state])}`);
      await sleep(5);
    }
  }
}

test('metadata is all that is asked for, of EndpointSlices only those that are of a Service', async (t) => {
  const house = await House.open(t);
  await house.until('followed', () => house.isFollowed);
  for (const { headers } of house.api.requests) assert.match(String(headers.accept), /as=PartialObjectMetadata;/);
  const asked = house.api.requests.map(({ path, query }) => `${path} ${query.get('labelSelector')}`).sort();
  assert.deepEqual(asked, [`${SERVICES} null`, `${SLICES} kubernetes.io/service-name`]);
  assert.deepEqual(house.watches.state, { warning: false, message: 'followed: 1 Services, 1 EndpointSlices' });
});

test('what is there at first is no change, all that comes after is, told once each', async (t) => {
  const house = await House.open(t);
  await house.until('followed', () => house.isFollowed);
  assert.deepEqual(
    house.news().filter((line) => !line.startsWith('following')),
    ['known shop/web'],
  );
  house.open
    .get(SERVICES)!
    .event('ADDED', service('db', '10'))
    .event('MODIFIED', service('web', '11'))
    .event('DELETED', service('db', '12'));
  await house.until('told', () => house.told.length === 3);
  assert.deepEqual(house.news(), ['new shop/db', 'changed shop/web', 'deleted shop/db']);
  house.open.get(SLICES)!.event('MODIFIED', slice('web', '13')).event('DELETED', slice('web', '14'));
  await house.until('told', () => house.told.length === 2);
  assert.deepEqual(house.news(), ['endpoints shop/web', 'endpoints shop/web']);
});

test('a connection that breaks is said before anything else, and what changed meanwhile is told before it is followed again', async (t) => {
  const house = await House.open(t);
  await house.until('followed', () => house.isFollowed);
  house.news();
  house.version = '20';
  house.objects[SERVICES] = [service('web', '1'), service('new', '15')];
  house.objects[SLICES] = [slice('web', '16')];
  // Versions that the server no longer keeps: both are listed anew.
  const [services, slices] = [house.open.get(SERVICES)!, house.open.get(SLICES)!];
  services.event('ERROR', { kind: 'Status', code: 410 });
  slices.event('ERROR', { kind: 'Status', code: 410 });
  await house.until('followed again', () => house.told.at(-1) === 'following true true');
  const news = house.news();
  assert.match(news[0]!, /^following (true|false) false$/);
  assert.deepEqual(news.filter((line) => !line.startsWith('following')).sort(), ['endpoints shop/web', 'new shop/new']);
  assert.ok(news.indexOf('following true true') === news.length - 1);
});

test('a watch that the server ends in good order, and that goes on at once, is no break', async (t) => {
  const house = await House.open(t);
  await house.until('followed', () => house.isFollowed);
  house.news();
  house.skewMs = 60_000;
  const asked = house.api.requests.length;
  house.open.get(SERVICES)!.bookmark('30').end();
  await house.until('asked again', () => house.api.requests.length > asked);
  house.open.get(SERVICES)!.event('MODIFIED', service('web', '31'));
  await house.until('told', () => house.told.length > 0);
  assert.deepEqual(house.news(), ['changed shop/web']);
  assert.equal(house.api.requests.at(-1)!.query.get('resourceVersion'), '30');
});

test('a watch that ended in good order and does not begin again is a break', async (t) => {
  const house = await House.open(t);
  await house.until('followed', () => house.isFollowed);
  house.news();
  house.skewMs = 60_000;
  house.forbidden.add(SLICES);
  house.open.get(SLICES)!.end();
  await house.until('told', () => house.told.length > 0);
  assert.deepEqual(house.news(), ['following true false']);
});

test('where one of the two is forbidden, the other works, it is said which, and it wakes by itself', async (t) => {
  const house = await House.open(t);
  await house.until('followed', () => house.isFollowed);
  house.forbidden.add(SLICES);
  house.open.get(SLICES)!.event('ERROR', { kind: 'Status', code: 410 });
  await house.until('refused', () => house.watches.state.warning);
  assert.match(
    house.watches.state.message,
    /^changes of Services are not seen, so answers live as long as their TTL says; Cannot watch endpointslices: the API server answers 403/,
  );
  assert.equal(house.told.at(-1), 'following true false');
  house.open.get(SERVICES)!.event('ADDED', service('db', '40'));
  await house.until('told', () => house.told.includes('new shop/db'));
  house.forbidden.delete(SLICES);
  await house.until('followed', () => house.told.at(-1) === 'following true true');
  assert.equal(house.watches.state.warning, false);
});

test('a storm of events leaves turns of the loop to others, and none is lost', async (t) => {
  const house = await House.open(t);
  await house.until('followed', () => house.isFollowed);
  house.news();
  const answer = house.open.get(SLICES)!;
  const events = 3000;
  const text = Array.from({ length: events }, (_, at) => {
    const object = { ...slice('web', String(100 + at)), padding: 'x'.repeat(1000) };
    return `${JSON.stringify({ type: 'MODIFIED', object })}\n`;
  }).join('');
  let [turns, most] = [0, 0];
  const count = (): void => {
    turns++;
    most = Math.max(most, house.told.length - seen);
    seen = house.told.length;
    if (house.told.length < events) setImmediate(count);
  };
  let seen = 0;
  answer.text(text);
  setImmediate(count);
  await house.until('all told', () => house.told.length === events);
  // 16 KiB of such events are 14.
  assert.ok(most <= 32, `${most} in one turn`);
  assert.ok(turns >= events / 32);
});
