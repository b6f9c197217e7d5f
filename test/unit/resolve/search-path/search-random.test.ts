import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownServices } from '../../../../src/search/known-services.ts';
import { decodeMessage } from '../../../../src/wire/codec.ts';
import { RCODE_NOERROR, RCODE_NXDOMAIN, RCODE_SERVFAIL } from '../../../../src/wire/constants.ts';
import { House, type PlayedClient, type PlayedUpstream } from '../house.ts';
import { NODATA, NXDOMAIN, positive, turn, Z } from './played-cluster.ts';

const HEADS = [
  'ns.',
  '',
  'web.',
  'db.',
  'alias.',
  'gone.',
  'pod-0.db.',
  'x.web.',
  'www.example.com.',
  'example.com.',
  '_tcp.web.',
  '_http._tcp.web.',
];
const TAILS = [
  'team1.svc.',
  'team2.svc.',
  'com.svc.',
  'svc.',
  '',
  'com.',
  'dns.',
  '10-0-0-1.team1.pod.',
  'az._zone.db.team1.svc.',
];
const TYPES = ['A', 'AAAA', 'SRV', 'TXT', 'MX'];
const SERVICES = ['web.team1', 'db.team1', 'web.team2'];
/** An entry in the configuration of the cluster DNS, at the name of a Service that there is not. */
const REWRITTEN = 'alias.team1';

/** What CoreDNS says of a name below Z in a cluster with these Services: 'yes', 'nodata' or 'nx'. */
function truth(name: string, type: string): 'yes' | 'nodata' | 'nx' {
  const own =
    name.toLowerCase() === Z
      ? []
      : name
          .toLowerCase()
          .slice(0, -Z.length - 1)
          .split('.');
  const last = own.pop();
  if (last === undefined || (own.length === 0 && (last === 'svc' || last === 'pod')))
    return type === 'TXT' ? 'nx' : 'nodata';
  if (last === 'pod') return own.length === 2 && type === 'A' ? 'yes' : own.length === 2 ? 'nodata' : 'nx';
  if (last === 'dns') return own.join('.') === 'ns' ? (type === 'A' ? 'yes' : 'nodata') : 'nx';
  if (last !== 'svc') return 'nx';
  const [namespace, service] = [own.pop()!, own.pop()];
  const exists =
    ['team1', 'team2'].includes(namespace) &&
    (service === undefined || [...SERVICES, REWRITTEN].includes(`${service}.${namespace}`));
  if (!exists || type === 'TXT') return 'nx';
  if (service === undefined) return 'nodata';
  const head = own.join('.');
  if (`${service}.${namespace}` === REWRITTEN && head !== '') return 'nx';
  if (head === '_http._tcp' || head === '') return type === 'A' || (head !== '' && type === 'SRV') ? 'yes' : 'nodata';
  if (service === 'db' && namespace === 'team1' && (head === 'pod-0' || head === 'az._zone'))
    return type === 'A' ? 'yes' : 'nodata';
  return 'nx';
}

class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(bound: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) | 0;
    return ((this.#state >>> 8) * bound) >>> 24;
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

function answerOne(upstream: PlayedUpstream, random: Random): void {
  // In any order, and now and then not at all.
  for (let i = random.below(upstream.asked.length); i > 0; i--) upstream.asked.push(upstream.asked.shift()!);
  const { message, end } = upstream.asked[0]!;
  const { name, type } = decodeMessage(message.subarray(0, end)).questions[0]!;
  const chance = random.below(100);
  if (chance < 2) upstream.fail('timeout');
  else if (chance < 4) upstream.answer({ flags: 0x0182 });
  else if (!name.endsWith(Z)) upstream.answer(NXDOMAIN);
  else {
    const said = truth(name, type);
    upstream.answer(said === 'nx' ? NXDOMAIN : said === 'nodata' || type === 'SRV' ? NODATA : positive(name));
  }
}

for (const hasServices of [false, true]) {
  test(`whatever is asked, in whatever order answers come or fail, no answer is another than the cluster's own, Services ${hasServices ? 'known' : 'unknown'}`, async () => {
    const random = new Random(7);
    const services = new KnownServices();
    for (const text of SERVICES) {
      const [service, namespace] = text.split('.') as [string, string];
      services.put(namespace, service);
    }
    const house = new House(2 << 20, { hasSearch: true, services });
    const waiting: { client: PlayedClient; name: string; type: string }[] = [];
    let compared = 0;
    for (let step = 0; step < 6000; step++) {
      const name = `${random.of(HEADS)}${random.of(TAILS)}${Z}`;
      const type = random.of(TYPES);
      waiting.push({ client: house.ask({ name, type }), name, type });
      for (let i = random.below(4); i > 0; i--) {
        for (const upstream of [house.cluster, house.outside])
          if (upstream.asked.length > 0) answerOne(upstream, random);
      }
      if (random.below(4) === 0) await turn();
      if (random.below(10) === 0) house.pass(random.of([10, 100, 400, 2000, 7000, 40_000]));
      if (hasServices && random.below(200) === 0) services.setFollowed(random.below(3) > 0);
      if (step % 50 === 49) compared += await settle(house, random, waiting);
    }
    assert.ok(compared > 5000, `${compared} compared`);
    assert.deepEqual([house.flights.count, house.flights.waiters], [0, 0]);
    assert.ok(house.resolver.search.byCut > 300, `${house.resolver.search.byCut} by cuts`);
    assert.equal(house.resolver.search.byServices > 300, hasServices);
  });
}

/** Answers all, and compares what clients got; how many could be compared. */
async function settle(
  house: House,
  random: Random,
  waiting: { client: PlayedClient; name: string; type: string }[],
): Promise<number> {
  for (let quiet = 0; quiet < 3; quiet++) {
    for (const upstream of [house.cluster, house.outside]) {
      while (upstream.asked.length > 0) {
        quiet = 0;
        answerOne(upstream, random);
      }
    }
    house.pass(300);
    await turn();
  }
  let compared = 0;
  for (const { client, name, type } of waiting.splice(0)) {
    const { rcode, answers } = client.reply;
    if (rcode === RCODE_SERVFAIL) continue;
    // NXDOMAIN to TXT is what CoreDNS says at names that exist: any other type tells whether they do.
    const said = truth(name, type);
    assert.equal(rcode, said === 'nx' ? RCODE_NXDOMAIN : RCODE_NOERROR, `${name} ${type}`);
    assert.equal(answers.length, said === 'yes' && type !== 'SRV' ? 1 : 0, `${name} ${type}`);
    compared++;
  }
  return compared;
}
