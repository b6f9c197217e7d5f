import { request } from 'node:https';

/** A Kubernetes object as the API takes it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Plain calls of the API server's HTTP interface, as one user. */
export class KubernetesApi {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  get(path: string): Promise<KubernetesObject> {
    return this.#call('GET', path) as Promise<KubernetesObject>;
  }

  /** Creates the object where its kind lives; its `status`, where it has one, by a second call, as controllers do. */
  async create(object: KubernetesObject): Promise<void> {
    await this.#call('POST', collectionOf(object), object);
    if (object['status'] !== undefined) await this.patchStatus(object, object['status']);
  }

  /** Merges `change` into the object (RFC 7386). */
  async patch(object: KubernetesObject, change: object): Promise<void> {
    await this.#call('PATCH', `${collectionOf(object)}/${object.metadata.name}`, change);
  }

  /** Merges `status` into the object's status, which `patch` leaves as it is. */
  async patchStatus(object: KubernetesObject, status: unknown): Promise<void> {
    await this.#call('PATCH', `${collectionOf(object)}/${object.metadata.name}/status`, { status });
  }

  async delete(object: KubernetesObject): Promise<void> {
    await this.#call('DELETE', `${collectionOf(object)}/${object.metadata.name}`);
  }

  /** True where the server calls itself ready. */
  async isReady(): Promise<boolean> {
    return this.#call('GET', '/readyz').then(
      () => true,
      () => false,
    );
  }

  #call(method: string, path: string, body?: object): Promise<unknown> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': type };
    return new Promise((resolve, reject) => {
      // The server made its certificate itself a second ago, and is on loopback.
      const call = request(
        this.#url + path,
        { method, headers, rejectUnauthorized: false, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
          response.on('end', () => {
            if (response.statusCode! >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
            else resolve(text.startsWith('{') ? JSON.parse(text) : text);
          });
        },
      );
      call.on('error', reject);
      call.end(body && JSON.stringify(body));
    });
  }
}

const PLURALS: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  Service: 'services',
  Pod: 'pods',
  Node: 'nodes',
  ConfigMap: 'configmaps',
  ServiceAccount: 'serviceaccounts',
  DaemonSet: 'daemonsets',
  EndpointSlice: 'endpointslices',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  CustomResourceDefinition: 'customresourcedefinitions',
  ServiceImport: 'serviceimports',
};

function collectionOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const plural = PLURALS[kind];
  if (plural === undefined) throw new Error(`Cannot place a ${kind}: its plural is not in the table`);
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${group}${metadata.namespace ? `/namespaces/${metadata.namespace}` : ''}/${plural}`;
}
