import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER, House } from '../house.ts';

const NAME = 'web.shop.svc.cluster.local';
const OTHER = 'db.shop.svc.cluster.local';
const NXDOMAIN = 3;

type Sections = Parameters<House['cluster']['answer']>[0];

const A = (data: string, name = NAME, ttl = 30) => ({ type: 'A', name, ttl, data }) as const;
const SOA = (ttl = 30) =>
  ({
    type: 'SOA',
    name: 'cluster.local',
    ttl,
    data: {
      mname: 'ns.dns.cluster.local',
      rname: 'h.cluster.local',
      serial: 1,
      refresh: 1,
      retry: 1,
      expire: 1,
      minimum: ttl,
    },
  }) as const;
const ABSENT: Sections = { flags: 0x0180 | NXDOMAIN, authorities: [SOA()] };
const NO_ADDRESS: Sections = { ...ABSENT, authorities: [{ ...SOA(), name: 'in-addr.arpa' }] };

function watched(options: ConstructorParameters<typeof House>[1] = {}): House {
  const house = new House(2 << 20, options);
  house.freshness.start();
  house.freshness.setFollowed(true);
  return house;
}

/** Asks once and answers it, so that it is cached. */
function learn(house: House, sections: Sections, name = NAME, type = 'A'): void {
  house.ask({ name, type });
  house.cluster.answer(sections);
}

function isCached(house: House, name = NAME, type = 'A'): boolean {
  const { replies } = house.ask({ name, type });
  if (replies.length > 0) return true;
  house.cluster.fail('overload');
  return false;
}

function change(house: House, service = 'web', what: 'service' | 'endpoints' = 'service'): void {
  house.freshness.serviceChanged('shop', service, what);
}

test('a change of a Service drops its answers at once, and no others', () => {
  const house = watched();
  learn(house, { answers: [A('10.0.0.1')] });
  learn(house, { answers: [A('10.0.0.2', OTHER)] }, OTHER);
  change(house);
  assert.equal(isCached(house), false);
  assert.equal(isCached(house, OTHER), true);
});

test('so it does with the names below the Service, whatever their case and type', () => {
  const house = watched();
  const below = [
    ['_http._tcp.WEB.shop.svc.cluster.local', 'SRV'],
    ['10-0-0-1.web.SHOP.svc.cluster.local', 'A'],
    ['web-0.web.shop.SVC.cluster.LOCAL', 'AAAA'],
  ] as const;
  for (const [name, type] of below) learn(house, { authorities: [SOA()] }, name, type);
  for (const [name, type] of below) assert.equal(isCached(house, name, type), true);
  change(house);
  for (const [name, type] of below) assert.equal(isCached(house, name, type), false, name);
});

test('a new Service ends the NXDOMAIN of its name, of names below it and of its namespace, and no other', () => {
  const house = watched();
  const names = [NAME, `a.b.${NAME}`, 'shop.svc.cluster.local'];
  for (const name of names) learn(house, ABSENT, name);
  learn(house, ABSENT, OTHER);
  change(house);
  for (const name of names) assert.equal(isCached(house, name), false, name);
  assert.equal(isCached(house, OTHER), true);
});

test('a PTR record goes with the Service that it names, and every "no" of the reverse zones with any', () => {
  const house = watched({ more: [{ zone: 'in-addr.arpa.' }] });
  const ptr = (name: string, target: string) => {
    house.ask({ name, type: 'PTR' });
    house.outside.answer({ answers: [{ type: 'PTR', name, ttl: 30, data: target }] });
  };
  ptr('1.0.0.10.in-addr.arpa', '10-0-0-1.web.shop.svc.cluster.local');
  ptr('2.0.0.10.in-addr.arpa', OTHER);
  house.ask({ name: '3.0.0.10.in-addr.arpa', type: 'PTR' });
  house.outside.answer(NO_ADDRESS);
  const asked = (n: number) => house.ask({ name: `${n}.0.0.10.in-addr.arpa`, type: 'PTR' }).replies.length;
  assert.deepEqual([1, 2, 3].map(asked), [1, 1, 1]);
  change(house);
  assert.deepEqual([1, 2, 3].map(asked), [0, 1, 0]);
});

test('a name of any zone goes with the Service that a CNAME leads it to', () => {
  const house = watched();
  house.ask({ name: 'shop.example.com', type: 'A' });
  house.outside.answer({
    answers: [{ type: 'CNAME', name: 'shop.example.com', ttl: 300, data: NAME }, A('10.0.0.1', NAME, 300)],
  });
  assert.equal(house.ask({ name: 'shop.example.com', type: 'A' }).replies.length, 1);
  change(house);
  assert.equal(house.ask({ name: 'shop.example.com', type: 'A' }).replies.length, 0);
});

test('what is being asked when the change comes is not kept, and no client keeps it for long', () => {
  const house = watched();
  const client = house.ask({ name: NAME, type: 'A' });
  change(house);
  house.cluster.answer({ answers: [A('10.0.0.1')] });
  assert.equal(client.reply.answers[0]!.ttl, 1);
  assert.equal(isCached(house), false);
});

test('for five seconds after a change answers of that Service live for one', () => {
  const house = watched();
  change(house);
  house.pass(4900);
  learn(house, { answers: [A('10.0.0.1')] });
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.answers[0]!.ttl, 1);
  house.pass(1001);
  assert.equal(isCached(house), false);
  learn(house, { answers: [A('10.0.0.1')] });
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.answers[0]!.ttl, 30);
});

test('a popular name is asked again at growing steps until its answer is another one', () => {
  const house = watched();
  learn(house, { answers: [A('10.0.0.1')] });
  for (let i = 0; i < 3; i++) house.ask({ name: NAME, type: 'A' });
  change(house);
  assert.equal(house.cluster.asked.length, 1, 'at once');
  house.cluster.answer({ answers: [A('10.0.0.1')] });
  const times: number[] = [];
  for (let ms = 5; ms <= 1000; ms += 5) {
    house.pass(5);
    if (house.cluster.asked.at(0) === undefined) continue;
    times.push(ms);
    house.cluster.answer({ answers: [A(times.length < 4 ? '10.0.0.1' : '10.0.0.9')] });
  }
  assert.equal(times.length, 4, `${times}`);
  for (const [i, step] of [50, 100, 200, 400].entries())
    assert.ok(times[i]! >= step && times[i]! <= step + 15, `${times}`);
});

test('an answer that only came in another order is the one of before', () => {
  const house = watched();
  learn(house, { answers: [A('10.0.0.1'), A('10.0.0.2')] });
  for (let i = 0; i < 3; i++) house.ask({ name: NAME, type: 'A' });
  change(house);
  house.cluster.answer({ answers: [A('10.0.0.2'), A('10.0.0.1')] });
  house.pass(60);
  assert.equal(house.cluster.asked.length, 1);
});

test('a name that nobody asks for is not asked again', () => {
  const house = watched();
  learn(house, { answers: [A('10.0.0.1')] });
  change(house);
  house.pass(6000);
  assert.equal(house.cluster.asked.length, 0);
});

test('a popular name that was absent is asked for with both address types', () => {
  const house = watched();
  learn(house, ABSENT);
  for (let i = 0; i < 3; i++) house.ask({ name: NAME, type: 'A' });
  change(house);
  assert.equal(house.cluster.asked.length, 2);
});

test('a name whose answer two changes of endpoints did not change is asked less at the third', () => {
  const house = watched();
  let asked = 0;
  const count = (): number => {
    asked = 0;
    house.cluster.asked.length = 0;
    change(house, 'web', 'endpoints');
    for (let ms = 0; ms < 8000; ms += 5) {
      for (; house.cluster.asked.length > 0; asked++) house.cluster.answer({ answers: [A('10.0.0.1')] });
      house.pass(5);
    }
    return asked;
  };
  const rounds = [0, 1, 2].map(() => {
    learn(house, { answers: [A('10.0.0.1')] });
    for (let i = 0; i < 3; i++) house.ask({ name: NAME, type: 'A' });
    return count();
  });
  assert.deepEqual(rounds, [8, 8, 2]);
});

test('five hundred changes in five seconds are asked about thirty times a second at most, and the last of them is seen', () => {
  const house = watched();
  let asked = 0;
  let pods = 0;
  const answer = (): void => {
    for (; house.cluster.asked.length > 0; asked++)
      house.cluster.answer({ answers: [A(`10.0.${pods >> 8}.${pods & 255}`)] });
  };
  learn(house, { answers: [A('10.0.0.0')] });
  for (pods = 1; pods <= 500; pods++) {
    house.ask({ name: NAME, type: 'A' });
    answer();
    change(house, 'web', 'endpoints');
    answer();
    house.pass(10);
    answer();
  }
  pods = 500;
  assert.ok(asked <= 150, `${asked} questions`);
  house.pass(110);
  answer();
  const { replies } = house.ask({ name: NAME, type: 'A' });
  answer();
  assert.ok(replies[0]!.toString('hex').endsWith('0a0001f4'), '10.0.1.244');
});

test('where the cluster DNS is silent after a change, the answer of before is better than none; where it is only slow, it is not', () => {
  const house = watched();
  learn(house, { answers: [A('10.0.0.1')] });
  change(house);
  const { replies } = house.ask({ name: NAME, type: 'A' });
  house.pass(500);
  assert.equal(replies.length, 0, 'waits on');
  house.cluster.fail('timeout');
  assert.ok(replies[0]!.toString('hex').endsWith('0a000001'));
});

test('a Service that is gone is not bridged by its last good answer', () => {
  const house = watched({ cluster: { cache: { ...CLUSTER, keepLastGoodSeconds: 60 } } });
  learn(house, { answers: [A('10.0.0.1')] });
  change(house);
  const client = house.ask({ name: NAME, type: 'A' });
  house.cluster.answer(ABSENT);
  assert.equal(client.reply.rcode, NXDOMAIN);
});

test('a "no" about a Service lives for 30 s while the cluster is followed, and for 5 s when it is no more', async () => {
  const house = watched();
  learn(house, ABSENT);
  house.pass(20_000);
  assert.equal(isCached(house), true);
  learn(house, ABSENT, OTHER);
  house.freshness.setFollowed(false);
  await new Promise(setImmediate);
  assert.equal(house.ask({ name: OTHER, type: 'A' }).reply.authorities[0]!.ttl, 5);
  house.pass(5001);
  assert.equal(isCached(house, OTHER), false);
  learn(house, ABSENT, OTHER);
  house.pass(5001);
  assert.equal(isCached(house, OTHER), false);
});

test('a "no" that is about no Service lives for 5 s in any case, and a policy of the user\'s own stands', () => {
  const house = watched();
  learn(house, ABSENT, 'www.example.com.cluster.local');
  house.pass(5001);
  assert.equal(isCached(house, 'www.example.com.cluster.local'), false);
  const own = watched({ cluster: { cache: { ...CLUSTER, negativeMaxSeconds: 8 } } });
  learn(own, ABSENT);
  own.pass(8001);
  assert.equal(isCached(own), false);
});

test('NXDOMAIN of a Service that there is lives for 5 s: the cluster DNS may have just started', () => {
  const house = watched();
  house.services.put('shop', 'db');
  learn(house, ABSENT);
  learn(house, ABSENT, OTHER);
  learn(house, { authorities: [SOA()] }, `a.${OTHER}`, 'AAAA');
  house.pass(5001);
  assert.deepEqual(
    [isCached(house), isCached(house, OTHER), isCached(house, `a.${OTHER}`, 'AAAA')],
    [true, false, true],
  );
});

test('what is being asked of an address when a change comes is kept, for a moment', () => {
  const house = watched({ more: [{ zone: 'in-addr.arpa.' }] });
  const question = { name: '3.0.0.10.in-addr.arpa', type: 'PTR' };
  house.ask(question);
  change(house);
  house.outside.answer(NO_ADDRESS);
  assert.equal(house.ask(question).reply.authorities[0]!.ttl, 1);
  house.pass(1001);
  assert.equal(house.ask(question).replies.length, 0);
});

test('"no address" that may be an alias to another Service goes with any change; beside an address of the other family it stays', () => {
  const house = watched();
  const none: Sections = { authorities: [SOA()] };
  learn(house, none, OTHER);
  learn(house, none, OTHER, 'AAAA');
  learn(house, { answers: [A('10.0.0.1')] });
  learn(house, none, NAME, 'AAAA');
  change(house, 'elsewhere');
  assert.equal(isCached(house, OTHER), false);
  assert.equal(isCached(house, OTHER, 'AAAA'), false);
  assert.equal(isCached(house, NAME, 'AAAA'), true);
});

test('beside an address that an alias leads to it goes, too: the other family may come there', () => {
  const house = watched();
  const target = 'db.other.svc.cluster.local';
  const alias = { type: 'CNAME', name: NAME, ttl: 30, data: target } as const;
  learn(house, { answers: [alias, A('10.0.0.1', target)] });
  learn(house, { authorities: [SOA()] }, NAME, 'AAAA');
  house.freshness.serviceChanged('other', 'db', 'service');
  assert.equal(isCached(house, NAME, 'AAAA'), false);
});
