import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../../../src/wire/codec.ts';
import { a, aaaa, brief, NODATA, NXDOMAIN, SERVFAIL, SearchingWorld, TEAM1 } from './searching-world.ts';

/**
 * Resolvers as they were seen to behave, in short. Each walks the search list; `steps` are the names, `ask` gives what A and AAAA (those of `families`) got of one name.
 * The outcome is the addresses, or why there are none.
 */
type Outcome = string;
/** `none`: NODATA; `alias`: NODATA behind a CNAME. */
type Step = 'absent' | 'none' | 'alias' | 'failed' | { addresses: string };
type Resolver = (steps: Iterable<string>, ask: (name: string) => Promise<Step[]>) => Promise<Outcome>;

function found(got: readonly Step[]): Outcome {
  return got
    .map((step) => (typeof step === 'object' ? step.addresses : ''))
    .join(' ')
    .trim();
}

/** Walks on past everything but an answer; a CNAME is one. */
const glibc: Resolver = async (steps, ask) => {
  for (const name of steps) {
    const got = await ask(name);
    if (found(got) !== '') return found(got);
    if (got.includes('alias')) return 'nothing';
  }
  return 'nothing';
};

/** NXDOMAIN of either type leads on; a failure of either is the end; so is a name without addresses. */
const musl: Resolver = async (steps, ask) => {
  for (const name of steps) {
    const got = await ask(name);
    if (got.includes('failed')) return 'failed';
    if (got.includes('absent')) continue;
    return found(got) || 'nothing';
  }
  return 'nothing';
};

/** Walks on past everything but addresses. */
const go: Resolver = async (steps, ask) => {
  for (const name of steps) {
    const addresses = found(await ask(name));
    if (addresses !== '') return addresses;
  }
  return 'nothing';
};

/** As glibc, but that a failure is the end. */
const cAres: Resolver = async (steps, ask) => {
  for (const name of steps) {
    const got = await ask(name);
    if (found(got) !== '') return found(got);
    if (got.includes('failed')) return 'failed';
    if (got.includes('alias')) return 'nothing';
  }
  return 'nothing';
};

const RESOLVERS = { glibc, musl, go, cAres };
const FAMILIES = [['A'], ['AAAA'], ['A', 'AAAA']] as const;
const SUFFIXES = [`.${TEAM1}`, '.svc.cluster.local', '.cluster.local', ''];

function stepOf(answer: string): Step {
  if (answer.startsWith('NXDOMAIN')) return 'absent';
  if (!answer.startsWith('NOERROR')) return 'failed';
  const addresses = answer.split(' ').filter((word) => /^A+=/.test(word));
  if (addresses.length > 0) return { addresses: addresses.sort().join(' ') };
  return answer.includes('>') ? 'alias' : 'none';
}

async function lookUp(
  world: SearchingWorld,
  typed: string,
  resolver: Resolver,
  families: readonly string[],
): Promise<Outcome> {
  const ask = async (name: string): Promise<Step[]> => {
    const clients = families.map((type) => world.house.ask({ from: '10.1.0.5', name, type }));
    await world.settle();
    return clients.map((client) => stepOf(brief(client)));
  };
  return resolver(
    SUFFIXES.map((suffix) => typed + suffix),
    ask,
  );
}

/** Each name has for each type an answer, nothing, or a failure; or it does not exist. */
function randomWorld(typed: string, random: (most: number) => number): Record<string, Message & { flags?: number }> {
  const world: Record<string, Message & { flags?: number }> = {};
  for (const suffix of SUFFIXES) {
    const name = typed + suffix;
    const isThere = suffix === '' ? random(4) > 0 : random(4) === 0;
    // What does not exist fails for both types: NXDOMAIN for one of them is kept for the name.
    const isBroken = random(12) === 0;
    for (const type of ['A', 'AAAA']) {
      const address = 1 + random(200);
      const there = type === 'A' ? a(name, `192.0.2.${address}`) : aaaa(name, `2001:db8::${address}`);
      const kind = random(8);
      const answer = kind === 0 ? SERVFAIL : kind < 4 ? NODATA : there;
      world[`${name} ${type}`] = isThere ? answer : isBroken ? SERVFAIL : NXDOMAIN;
    }
  }
  return world;
}

test('what every resolver finds without completion it finds with it, and nothing else', async () => {
  let state = 7;
  const random = (most: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
  let successes = 0;
  let completed = 0;
  for (let i = 0; i < 40; i++) {
    const typed = random(3) === 0 ? `web${i}.team2` : `www${i}.example.com`;
    const names = randomWorld(typed, random);
    for (const [name, resolver] of Object.entries(RESOLVERS)) {
      for (const families of FAMILIES) {
        const plainly = new SearchingWorld(names, {}, { isCompleting: false });
        const plain = await lookUp(plainly, typed, resolver, families);
        const world = new SearchingWorld(names);
        for (const time of ['first', 'second']) {
          const outcome = await lookUp(world, typed, resolver, families);
          assert.equal(outcome, plain, `${name} ${families}, ${time} time: ${JSON.stringify(names)}`);
        }
        if (plain.includes('=')) successes++;
        completed += world.house.counts.read('completed');
      }
    }
  }
  assert.ok(successes > 150 && completed > 150, `${successes} ${completed}`);
});
