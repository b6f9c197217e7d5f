import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { CLUSTER_PROGRAMS } from '../cluster/control-plane.ts';
import { ANSWERED, Comparison, FAILING, TELLING } from '../resolvers/comparison.ts';
import { type Completer, FLAWS, startCompleter } from '../resolvers/completer.ts';
import { textOf } from '../resolvers/difference.ts';
import { POD_NETWORK_PROGRAMS } from '../resolvers/pod-network.ts';
import { installResolvers, skipWithoutResolvers } from '../resolvers/resolvers.ts';
import { ResolverWorld, SEARCHES } from '../resolvers/world.ts';
import { NAMED_PROGRAMS } from '../servers/named.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { enterOwnNetwork } from './own-network.ts';

const skip =
  skipWithoutNamespaces(...POD_NETWORK_PROGRAMS, ...CLUSTER_PROGRAMS, ...NAMED_PROGRAMS) || skipWithoutResolvers();
if (!skip) {
  // Here, for in a network of its own there is no mirror to take anything from.
  await installResolvers();
  enterOwnNetwork({});
}

const COMPLETERS = FLAWS.map((flaw, at) => ({ flaw, address: `10.244.9.${101 + at}` }));

/** What search-completion.test.ts rests on: it says nothing of a completer that keeps the rules, and finds each breach of them. */
suite('the comparison of a completer with plain DNS', { skip, concurrency: 3 }, () => {
  const completers: Completer[] = [];
  let world: ResolverWorld;
  let comparison: Comparison;

  before(async () => {
    const resolvers = await installResolvers();
    world = await ResolverWorld.start(COMPLETERS.map(({ address }) => address));
    comparison = new Comparison(
      resolvers,
      await world.pods.addPod({ address: '10.244.9.11', searches: SEARCHES, ndots: 5 }),
    );
    for (const { flaw, address } of COMPLETERS) {
      const at = { host: address, port: 53 };
      completers.push(
        await startCompleter({ behind: world.cluster.clusterDns, at, searches: SEARCHES, ndots: 5, flaw }),
      );
    }
  });
  after(async () => {
    for (const completer of completers) completer.stop();
    await world?.stop();
  });

  for (const { flaw, address } of COMPLETERS) {
    if (flaw === 'none') {
      test('has nothing to say of one that keeps the rules', async () => {
        assert.deepEqual((await comparison.differences(address, [ANSWERED, FAILING])).map(textOf), []);
      });
    } else {
      test(`finds one that ${flaw}`, async () => {
        const lists = flaw.startsWith('fails') ? [FAILING] : [TELLING];
        assert.notDeepEqual(await comparison.differences(address, lists, 0), []);
      });
    }
  }
});
