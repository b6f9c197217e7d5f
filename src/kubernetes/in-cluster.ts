import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiAccess } from './api-access.ts';

/** Where kubelet puts what a pod needs to ask the API. */
const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The access that a pod has by its service account; undefined where it has none, or where this is no pod. */
export async function inClusterAccess(
  env: Readonly<Record<string, string | undefined>>,
  folder = FOLDER,
): Promise<ApiAccess | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  if (!host) return undefined;
  const port = env['KUBERNETES_SERVICE_PORT_HTTPS'] || env['KUBERNETES_SERVICE_PORT'] || '443';
  const credentials = async () => {
    const [token, ca] = await Promise.all(['token', 'ca.crt'].map((name) => readFile(join(folder, name), 'utf8')));
    return { token: token!.trim(), ca };
  };
  const hasFiles = await credentials().then(
    () => true,
    () => false,
  );
  if (!hasFiles) return undefined;
  const server = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  return { server, isInsecure: false, origin: "the pod's service account", credentials };
}
