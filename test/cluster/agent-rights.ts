import { writeFile } from 'node:fs/promises';
import { planManifests } from '../../src/manifests/manifest-plan.ts';
import { renderManifests } from '../../src/manifests/manifests.ts';
import type { KubernetesObject } from './api.ts';
import type { ControlPlane } from './control-plane.ts';

const KINDS = new Set(['ClusterRole', 'ClusterRoleBinding']);

/** What `signpost manifests` with these flags grants over the whole cluster, given to the user whose token the tests' agent has. */
export function clusterRights(flags: Parameters<typeof planManifests>[0]): KubernetesObject[] {
  const objects = renderManifests(planManifests(flags, { env: {}, isTerminal: false, readFile: () => '' }));
  const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'signpost' }];
  return objects
    .map((manifest) => manifest.toJSON() as KubernetesObject)
    .filter(({ kind }) => KINDS.has(kind))
    .map((object) => (object.kind === 'ClusterRole' ? object : { ...object, subjects }));
}

/** Writes a kubeconfig to `path`, of that user or of whoever else has `token`, who has to know the server by its certificate. */
export async function writeAgentKubeconfig(
  path: string,
  { apiUrl, caFile, agentToken }: ControlPlane,
  token = agentToken,
): Promise<void> {
  const config = {
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: apiUrl, 'certificate-authority': caFile } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  };
  await writeFile(path, JSON.stringify(config));
}
