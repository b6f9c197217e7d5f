import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage } from '../../../../src/wire/codec.ts';
import { CLUSTER, House, type PlayedClient, type PlayedUpstream } from '../house.ts';
import { NODATA, NXDOMAIN, turn, Z } from '../search-path/played-cluster.ts';
import { a, aaaa, brief, POD, USUAL_POD } from './searching-world.ts';

/** Bits of what a Service has; NAME_ALONE: it exists, and has no address. */
const HAS_A = 1;
const HAS_AAAA = 2;
const NAME_ALONE = 4;
/** So long after all have heard of a change, nothing that was said before it is given any more. */
const SETTLED_MS = 2500;

interface Service {
  /** What there is, in the cluster DNS's eyes, which may be late. */
  seen: number;
  wanted: number;
  /** When all have heard that it has come, gone, or has other families. */
  quietMs: number;
}

const SERVICES = ['web.team1', 'api.team1', 'web.team2', 'example.com', 'db.team2', 'team2.team1'];
const NAMESPACES = ['team1', 'team2'];
const OUTSIDE = new Map([
  ['www.example.com', HAS_A],
  ['example.com', HAS_A | HAS_AAAA],
  ['v6.example.org', HAS_AAAA],
]);
const TYPED = ['web', 'api', 'nope', 'web.team2', 'db.team2', 'x.db.team2', `web.team2.svc.${Z}`, ...OUTSIDE.keys()];
const SUFFIXES = [`.team1.svc.${Z}`, `.svc.${Z}`, `.${Z}`, ''];

/** A cluster whose Services change, of which its DNS and the API's watch hear at different times. */
class ChangingCluster {
  readonly services = new Map<string, Service>(
    SERVICES.map((name) => [name, { seen: 0, wanted: 0, quietMs: Number.NEGATIVE_INFINITY }]),
  );

  /** The families of a name, or -1: it does not exist. */
  families(name: string): number {
    if (!name.endsWith(Z)) return OUTSIDE.get(name) ?? -1;
    const [service, namespace, head] = this.#labels(name);
    if (namespace === undefined) return -1;
    if (service === undefined) return this.#hasNamespace(namespace) ? NAME_ALONE : -1;
    const seen = this.services.get(`${service}.${namespace}`)?.seen ?? 0;
    return seen === 0 || (head !== undefined && head !== 'x') ? -1 : seen;
  }

  /** The Services that a look-up of what was typed depends on. */
  concerned(typed: string): Service[] {
    const names = SUFFIXES.map((suffix) => this.#labels(typed + suffix));
    return [...this.services]
      .filter(([key]) => {
        const [service, namespace] = key.split('.');
        const isNamespaces = !NAMESPACES.includes(namespace!);
        return names.some(([first, second]) => second === namespace && (isNamespaces || first === service));
      })
      .map(([, service]) => service);
  }

  answer(upstream: PlayedUpstream, nth: number): void {
    for (let i = nth; i > 0; i--) upstream.asked.push(upstream.asked.shift()!);
    const { message, end } = upstream.asked[0]!;
    const { name, type } = decodeMessage(message.subarray(0, end)).questions[0]!;
    const families = this.families(name);
    if (families === -1) upstream.answer(NXDOMAIN);
    else if (type === 'A' && families & HAS_A) upstream.answer(a(name));
    else if (type === 'AAAA' && families & HAS_AAAA) upstream.answer(aaaa(name));
    else upstream.answer(NODATA);
  }

  /** Service, namespace, and what stands before them. */
  #labels(name: string): (string | undefined)[] {
    if (!name.endsWith(`.svc.${Z}`)) return [];
    const labels = name.slice(0, -`.svc.${Z}`.length).split('.');
    const namespace = labels.pop();
    const service = labels.pop();
    return [service, namespace, labels.length === 0 ? undefined : labels.join('.')];
  }

  #hasNamespace(name: string): boolean {
    if (NAMESPACES.includes(name)) return true;
    return [...this.services].some(([key, { seen }]) => seen > 0 && key.endsWith(`.${name}`));
  }
}

/** A look-up of both families as glibc does it: name by name, past everything but addresses; a CNAME is an answer. */
class LookUp {
  readonly typed: string;
  clients: PlayedClient[] = [];
  #step = -1;
  isSettled = true;

  constructor(typed: string) {
    this.typed = typed;
  }

  /** Asks for the next name; false where there is none. */
  goOn(house: House): boolean {
    const suffix = SUFFIXES[++this.#step];
    if (suffix === undefined || (suffix === '' && !this.typed.includes('.'))) return false;
    this.clients = ['A', 'AAAA'].map((type) => house.ask({ from: POD, name: this.typed + suffix, type }));
    return true;
  }

  /** The families that were found; undefined: it goes on. */
  get found(): number | undefined {
    const answers = this.clients.map(brief);
    const families = answers.map((answer) => (/ A=/.test(answer) ? HAS_A : / AAAA=/.test(answer) ? HAS_AAAA : 0));
    const all = families[0]! | families[1]!;
    return all > 0 || answers.some((answer) => answer.includes('>')) ? all : undefined;
  }
}

/** What such a look-up finds in the cluster as it is. */
function expected(cluster: ChangingCluster, typed: string): number {
  for (const suffix of SUFFIXES) {
    const families = suffix === '' && !typed.includes('.') ? -1 : cluster.families(typed + suffix);
    const addresses = families & (HAS_A | HAS_AAAA);
    if (families !== -1 && addresses > 0) return addresses;
  }
  return 0;
}

class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(most: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * most);
  }
}

/** A house with one pod, that follows the Services. */
function followingHouse(): House {
  // What was true before the cluster DNS was asked in vain is no mistake: none of that here.
  const cache = { ...CLUSTER, staleSeconds: 0 };
  const house = new House(2 << 20, { isCompleting: true, hasSearch: true, cluster: { cache } });
  const { clock, events, freshness, pods, services } = house;
  pods.setCurrent(true);
  pods.set('uid-1', USUAL_POD);
  freshness.start();
  freshness.onChange = (namespace, service) => events.note(namespace, service, clock.nowMs());
  services.setFollowed(true);
  freshness.setFollowed(true);
  return house;
}

/** Changes of Services, each heard of by the cluster DNS and by the watch at a time of its own. */
class Changes {
  readonly #cluster: ChangingCluster;
  readonly #house: House;
  readonly #random: Random;
  #due: { atMs: number; run: () => void }[] = [];

  constructor(cluster: ChangingCluster, house: House, random: Random) {
    this.#cluster = cluster;
    this.#house = house;
    this.#random = random;
  }

  begin(nowMs: number): void {
    const random = this.#random;
    const { freshness, services } = this.#house;
    const name = SERVICES[random.below(SERVICES.length)]!;
    const [service, namespace] = name.split('.') as [string, string];
    const state = this.#cluster.services.get(name)!;
    const dnsMs = nowMs + random.below(2) * random.below(1500);
    const watchMs = nowMs + random.below(2) * random.below(3000);
    // Mostly the addresses alone.
    if (random.below(5) === 0) {
      state.wanted = random.below(NAME_ALONE + 1);
      state.quietMs = Math.max(state.quietMs, dnsMs, watchMs);
    }
    const see = (): void => {
      state.seen = state.wanted;
    };
    const hear = (): void => {
      if (state.wanted > 0) services.put(namespace, service);
      else services.delete(namespace, service);
      freshness.serviceChanged(namespace, service, 'service');
    };
    this.#due.push({ atMs: dnsMs, run: see }, { atMs: watchMs, run: hear });
  }

  tell(nowMs: number): void {
    for (const { run } of this.#due.filter(({ atMs }) => atMs <= nowMs)) run();
    this.#due = this.#due.filter(({ atMs }) => atMs > nowMs);
  }
}

test('while Services change, and are heard of late and in any order, look-ups of what stays as it is find all of it', async () => {
  const random = new Random(4);
  const cluster = new ChangingCluster();
  const house = followingHouse();
  const changes = new Changes(cluster, house, random);
  let compared = 0;
  let lookUps: LookUp[] = [];
  for (let step = 0; step < 6000; step++) {
    const nowMs = house.clock.nowMs();
    changes.tell(nowMs);
    if (random.below(12) === 0) changes.begin(nowMs);
    if (lookUps.length < 12 && random.below(3) === 0) {
      const lookUp = new LookUp(TYPED[random.below(TYPED.length)]!);
      lookUp.goOn(house);
      lookUps.push(lookUp);
    }
    for (let i = random.below(4); i > 0; i--) {
      for (const upstream of [house.cluster, house.outside]) {
        if (upstream.asked.length > 0) cluster.answer(upstream, random.below(upstream.asked.length));
      }
    }
    await turn();
    house.pass(random.below(30) === 0 ? random.below(4000) : random.below(20));
    lookUps = lookUps.filter((lookUp) => {
      const { typed, clients } = lookUp;
      const isQuiet = cluster.concerned(typed).every(({ quietMs }) => house.clock.nowMs() - quietMs >= SETTLED_MS);
      if (!isQuiet) lookUp.isSettled = false;
      if (clients.some(({ replies }) => replies.length === 0)) return true;
      const { found } = lookUp;
      if (found === undefined && lookUp.goOn(house)) return true;
      if (!lookUp.isSettled) return false;
      compared++;
      assert.equal(found ?? 0, expected(cluster, typed), `${typed} in step ${step}: ${clients.map(brief)}`);
      return false;
    });
  }
  assert.ok(compared > 800, `${compared} compared`);
  assert.ok(house.counts.read('completed') > 300, `${house.counts.read('completed')} completed`);
});
