import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GAP_MS } from '../../../../src/search/pod-clients.ts';
import { a, aaaa, brief, NODATA, SearchingWorld, TEAM1, USUAL_POD } from './searching-world.ts';

const WWW = `www.example.com.${TEAM1}`;
const TARGET = `${WWW}.>www.example.com.`;
const V4 = `NOERROR ${TARGET} www.example.com. A=c0000201`;
const V4_ONLY = { 'www.example.com A': a('www.example.com'), 'www.example.com AAAA': NODATA };
const ABSENT = 'NXDOMAIN SOA';

const WEB = `web.team2.${TEAM1}`;
const WEB_TEAM2 = 'web.team2.svc.cluster.local';
const WEB_ANSWER = `NOERROR ${WEB}.>${WEB_TEAM2}. ${WEB_TEAM2}. A=0a600007`;
const SERVICE = { [`${WEB_TEAM2} A`]: a(WEB_TEAM2, '10.96.0.7'), [`${WEB_TEAM2} AAAA`]: NODATA };

/** A Service's change as the API tells of it: what the cache has of it goes, too. */
function change(world: SearchingWorld, namespace: string, service: string): void {
  world.house.freshness.serviceChanged(namespace, service, 'service');
}

function worldWithWatch(names: ConstructorParameters<typeof SearchingWorld>[0]): SearchingWorld {
  const world = new SearchingWorld(names);
  const { events, freshness, house } = { ...world.house, house: world.house };
  freshness.start();
  freshness.onChange = (namespace, service) => events.note(namespace, service, house.clock.nowMs());
  freshness.setFollowed(true);
  return world;
}

test('a Service that comes where there was none is found with the next query', async () => {
  const world = worldWithWatch({});
  assert.equal(brief(await world.ask(WEB, 'A')), ABSENT);
  for (const [name, answer] of Object.entries(SERVICE)) world.world.set(name, answer);
  change(world, 'team2', 'web');
  assert.equal(brief(await world.ask(WEB, 'A')), WEB_ANSWER);
});

test('a Service that goes is not led to any more', async () => {
  const world = worldWithWatch(SERVICE);
  assert.equal(brief(await world.ask(WEB, 'A')), WEB_ANSWER);
  world.world.clear();
  change(world, 'team2', 'web');
  assert.equal(brief(await world.ask(WEB, 'A')), ABSENT);
});

test('a Service of the own namespace hides what the search led to before', async () => {
  const own = `web.${TEAM1}`;
  const world = worldWithWatch({ 'web.corp.example A': a('web.corp.example') });
  world.house.pods.set('uid-1', { ...USUAL_POD, searches: ['corp.example'] });
  world.house.pass(60_000);
  assert.match(brief(await world.ask(own, 'A')), /^NOERROR .*>web.corp.example/);
  world.world.set(`${own} A`, a(own, '10.96.0.1'));
  change(world, 'team1', 'web');
  assert.equal(brief(await world.ask(own, 'A')), `NOERROR ${own}. A=0a600001`);
});

test('changes of other Services ask nothing anew', async () => {
  const world = worldWithWatch(SERVICE);
  await world.both(WEB);
  world.take();
  change(world, 'team3', 'web');
  change(world, 'team2', 'api');
  assert.equal(brief(await world.ask(WEB, 'A')), WEB_ANSWER);
  assert.deepEqual(world.take(), []);
});

test('a Service that the API tells of is asked for by its own name, and nothing else is', async () => {
  const own = `web.${TEAM1}`;
  const world = new SearchingWorld({ [`${own} A`]: a(own, '10.96.0.1'), [`${own} AAAA`]: NODATA });
  world.house.services.put('team1', 'web');
  world.house.services.setFollowed(true);
  assert.equal(brief(await world.ask(own, 'A')), `NOERROR ${own}. A=0a600001`);
  assert.deepEqual(world.take(), [`${own} A`]);
  assert.equal(world.house.responder.completion!.decisions.size, 0);
});

test('without a watch, what comes to exist is found when the "no" about it has ended', async () => {
  const world = new SearchingWorld({});
  assert.equal(brief(await world.ask(WEB, 'A')), ABSENT);
  for (const [name, answer] of Object.entries(SERVICE)) world.world.set(name, answer);
  world.house.pass(3000);
  assert.equal(brief(await world.ask(WEB, 'A')), ABSENT);
  world.house.pass(2100);
  assert.equal(brief(await world.ask(WEB, 'A')), WEB_ANSWER);
});

test('a decision that rests on a "no" about to end is made anew with it', async () => {
  const world = new SearchingWorld({ 'www.example.com A': a('www.example.com') });
  await world.ask(WWW, 'A', { from: '10.9.9.9' });
  world.house.pass(3500);
  assert.equal(brief(await world.ask(WWW, 'A')), V4);
  world.world.set(`${WWW} A`, a(WWW, '10.96.0.9'));
  world.house.pass(2500);
  assert.equal(brief(await world.ask(WWW, 'A')), `NOERROR ${WWW}. A=0a600009`);
});

test('half a pair of answers ends no search: what is not there of a type is never told behind a CNAME', async () => {
  const world = new SearchingWorld({});
  assert.equal(brief(await world.ask(WWW, 'A')), ABSENT);
  for (const [name, answer] of Object.entries(V4_ONLY)) world.world.set(name, answer);
  world.house.pass(5100);
  assert.equal(brief(await world.ask(WWW, 'AAAA')), 'NOERROR SOA');
  assert.equal(brief(await world.ask(WWW, 'A')), V4);
});

test('while the watch of pods is away, pods are known for a moment, and then nobody is', async () => {
  const world = new SearchingWorld({ ...V4_ONLY });
  await world.both(WWW);
  world.house.pods.setCurrent(false);
  assert.deepEqual((await world.both(WWW)).map(brief), [V4, 'NOERROR SOA']);
  world.house.pass(GAP_MS + 1);
  assert.deepEqual((await world.both(WWW)).map(brief), [ABSENT, ABSENT]);
});

test('a target that went without a word is not led to', async () => {
  const world = new SearchingWorld({
    'www.example.com A': a('www.example.com', '192.0.2.1', 2),
    'www.example.com AAAA': aaaa('www.example.com', '2001:db8::1', 2),
  });
  await world.both(WWW);
  world.world.clear();
  world.house.pass(2500);
  assert.deepEqual((await world.both(WWW)).map(brief), [ABSENT, ABSENT]);
});

test('addresses used again by a pod of another namespace get the answers of that one', async () => {
  const world = new SearchingWorld({
    [`web.${TEAM1} A`]: a(`web.${TEAM1}`, '10.96.0.1'),
    [`${WEB_TEAM2} A`]: a(WEB_TEAM2, '10.96.0.2'),
    'web.team3.svc.cluster.local A': a('web.team3.svc.cluster.local', '10.96.0.3'),
  });
  world.house.pods.set('uid-1', { ...USUAL_POD, isEnded: true });
  assert.equal(brief(await world.ask(`web.team3.${TEAM1}`, 'A')), ABSENT);
  world.house.pods.set('uid-2', { ...USUAL_POD, namespace: 'team2' });
  world.house.pass(20_000);
  assert.equal(brief(await world.ask(WEB_TEAM2, 'A')), `NOERROR ${WEB_TEAM2}. A=0a600002`);
  assert.equal(brief(await world.ask(`web.team3.${TEAM1}`, 'A')), ABSENT);
  assert.match(brief(await world.ask('web.team3.team2.svc.cluster.local', 'A')), /A=0a600003$/);
});
