import { ConfigErrors } from '../config/config-errors.ts';
import type { Surroundings } from '../config/flags.ts';
import { serviceVariable } from '../config/service-names.ts';
import { type ClusterDnsLookup, ClusterDnsUnknown } from '../config/upstream-sources.ts';
import { monotonicClock } from '../core/clock.ts';
import { ConfigError, SignpostError } from '../core/errors.ts';
import { silentLogger } from '../core/logger.ts';
import { Kubernetes } from '../kubernetes/kubernetes.ts';

/** On a node that boots the API may be out of reach until kube-proxy has begun. */
const PATIENCE_MS = 30_000;
const AGAIN_MS = 2000;

/**
 * What `load` makes of the surroundings. Where nobody says where the cluster DNS is, the API is asked, and `load` is called again with what kubelet would have put into the
 * environment of a pod beside that Service. Throws `ConfigErrors`, with what the API said among them.
 */
export async function withClusterDns<T>(
  surroundings: Surroundings,
  load: (surroundings: Surroundings) => T,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  try {
    return load(surroundings);
  } catch (error) {
    const unknown = error instanceof ConfigErrors && error.errors.find((each) => each instanceof ClusterDnsUnknown);
    if (!unknown) throw error;
    const found = await lookUp(unknown.lookup, surroundings.env, patienceMs);
    if (found instanceof ConfigError) throw new ConfigErrors([...error.errors, found]);
    if (found === undefined) throw error;
    return load({ ...surroundings, env: { ...surroundings.env, ...found } });
  }
}

/** Variables as kubelet makes them; undefined where there is no API to ask. */
async function lookUp(
  { services, kubernetes: setting }: ClusterDnsLookup,
  env: Surroundings['env'],
  patienceMs: number,
): Promise<Record<string, string> | ConfigError | undefined> {
  const kubernetes = await Kubernetes.open(setting, { clock: monotonicClock, log: silentLogger, env });
  if (!kubernetes.isOn) return undefined;
  const endMs = monotonicClock.nowMs() + patienceMs;
  try {
    for (;;) {
      const found = await kubernetes.readClusterDnsServices(services).catch((error: unknown) => asSignpostError(error));
      if (!(found instanceof SignpostError)) return found.length === 0 ? nothing(services) : variables(found);
      if (!PASSING.includes(found.code) || monotonicClock.nowMs() > endMs)
        return new ConfigError(found.code, found.message);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  } finally {
    await kubernetes.close();
  }
}

/** What may be otherwise a moment later. */
const PASSING: readonly string[] = ['ERR_KUBERNETES_UNREACHABLE', 'ERR_KUBERNETES_BUSY'];

function asSignpostError(error: unknown): SignpostError {
  if (error instanceof SignpostError) return error;
  throw error;
}

function nothing({ namespace, names }: ClusterDnsLookup['services']): ConfigError {
  const message = `Cannot find the cluster DNS in the API: no Service ${names.map((name) => `${namespace}/${name}`).join(', nor ')} has an address (--cluster-dns-service)`;
  return new ConfigError('ERR_CLUSTER_DNS_SERVICE', message);
}

type Found = Awaited<ReturnType<Kubernetes['readClusterDnsServices']>>;

function variables(services: Found): Record<string, string> {
  return Object.fromEntries(
    services.flatMap(({ name, addresses: [first] }) => {
      const variable = serviceVariable(name.slice(name.indexOf('/') + 1));
      return [
        [`${variable}_HOST`, first!.host],
        [`${variable}_PORT`, String(first!.port)],
      ];
    }),
  );
}
