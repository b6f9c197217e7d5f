/** Objects that are watched: one resource, whole or in part. */
export interface WatchedKind {
  /** For messages and metrics: `endpointslices`. */
  readonly resource: string;
  /** `/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices` */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** True: the server sends `metadata` and nothing else. */
  readonly isMetadataOnly?: boolean;
}

const METADATA = 'g=meta.k8s.io;v=v1';

/** What the server is to send of each object: in a list, or in a watch. */
export function acceptOf({ isMetadataOnly }: WatchedKind, as: 'list' | 'watch'): string {
  if (isMetadataOnly !== true) return 'application/json';
  return `application/json;as=PartialObjectMetadata${as === 'list' ? 'List' : ''};${METADATA}`;
}

/** Its path with a query that has the selectors and `parameters`. */
export function pathOf(
  { path, labelSelector, fieldSelector }: WatchedKind,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ labelSelector, fieldSelector, ...parameters })) {
    if (value !== undefined) query.set(name, value);
  }
  return `${path}?${query}`;
}
