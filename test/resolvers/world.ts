import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { CLUSTER } from '../cluster/fixtures.ts';
import { startLiar } from '../servers/liar.ts';
import { startNamed } from '../servers/named.ts';
import { ENDLESS_ZONES, MORE_OBJECTS, NODE_SUFFIX, SLOW_ZONE } from './names.ts';
import { PodNetwork } from './pod-network.ts';

/** Longer than a name may take to be decided on, and shorter than resolvers wait. */
const SLOW_MS = 1200;

/** The search path of a pod in namespace shop. */
export const SEARCHES = ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', NODE_SUFFIX];

/** Where pods ask the cluster DNS itself. */
export const PLAIN = '10.244.9.1';

/** A cluster with its DNS, what is outside of it, and the bridge of a node's pods. In a network of the test's own. */
export class ResolverWorld {
  readonly pods: PodNetwork;
  readonly cluster: ControlPlane;
  /** Ends what is outside of the cluster. */
  readonly #stopOutside: () => Promise<void>;

  /** `servers`: further addresses of the bridge, for those who are asked. */
  static async start(servers: readonly string[]): Promise<ResolverWorld> {
    const pods = await PodNetwork.create([PLAIN, ...servers]);
    // CoreDNS passes on BIND's cookie, and has none for answers of its own: c-ares since 1.33 takes it for CoreDNS's, and those for forged.
    const named = await startNamed({ settings: 'answer-cookie no;' });
    const slow = await startLiar(named);
    slow.behave((lie) => setTimeout(() => lie.send(lie.truth), SLOW_MS));
    const stopOutside = async () => {
      await named.stop();
      slow.stop();
      await pods.delete();
    };
    const cluster = await startControlPlane({
      objects: [...CLUSTER, ...MORE_OBJECTS],
      serviceRanges: ['10.96.0.0/16', 'fd00:10:96::/112'],
      dnsAddresses: [PLAIN],
      corefileLines: [
        ...ENDLESS_ZONES,
        `forward ${SLOW_ZONE} ${slow.host}:${slow.port}`,
        `forward . ${named.host}:${named.port}`,
      ],
    }).catch(async (error: unknown) => {
      await stopOutside();
      throw error;
    });
    return new ResolverWorld(pods, cluster, stopOutside);
  }

  private constructor(pods: PodNetwork, cluster: ControlPlane, stopOutside: () => Promise<void>) {
    this.pods = pods;
    this.cluster = cluster;
    this.#stopOutside = stopOutside;
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    await this.#stopOutside();
  }
}
