import assert from 'node:assert/strict';
import { test } from 'node:test';
import { a, aaaa, brief, NODATA, SearchingWorld, TEAM1 } from './searching-world.ts';

const WWW = `www.example.com.${TEAM1}`;

test('an outside name is answered with the first query of the search, for both types', async () => {
  const world = new SearchingWorld({
    'www.example.com A': a('www.example.com'),
    'www.example.com AAAA': aaaa('www.example.com'),
  });
  const [v4, v6] = await world.both(WWW);
  assert.equal(brief(v4), `NOERROR ${WWW}.>www.example.com. www.example.com. A=c0000201`);
  assert.equal(brief(v6), `NOERROR ${WWW}.>www.example.com. www.example.com. AAAA=20010db8000000000000000000000001`);
});

test('a v4-only name gets CNAME and SOA for AAAA', async () => {
  const world = new SearchingWorld({ 'www.example.com A': a('www.example.com'), 'www.example.com AAAA': NODATA });
  const [v4, v6] = await world.both(WWW);
  assert.match(brief(v4), /^NOERROR .*A=c0000201$/);
  assert.equal(brief(v6), `NOERROR ${WWW}.>www.example.com. SOA`);
});

test('the second time nothing is asked, and nobody waits', async () => {
  const world = new SearchingWorld({ 'www.example.com A': a('www.example.com'), 'www.example.com AAAA': NODATA });
  await world.both(WWW);
  world.take();
  const clients = ['A', 'AAAA'].map((type) => world.house.ask({ from: '10.1.0.5', name: WWW, type }));
  assert.match(brief(clients[0]!), /^NOERROR .*A=c0000201$/);
  assert.equal(brief(clients[1]!), `NOERROR ${WWW}.>www.example.com. SOA`);
  assert.deepEqual(world.take(), []);
});
