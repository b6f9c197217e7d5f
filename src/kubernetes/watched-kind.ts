import type { ApiObject } from './api-objects.ts';

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
  /** The server sends tables, as for people to read, and this makes objects of them: of a table of a watch, of a column or a row of a list. Undefined: it is none. */
  readonly readTable?: (value: unknown) => ApiObject | undefined;
}

const METADATA = 'g=meta.k8s.io;v=v1';

/** What the server is to send of each object: in a list, or in a watch. */
export function acceptOf({ isMetadataOnly, readTable }: WatchedKind, as: 'list' | 'watch'): string {
  if (readTable !== undefined) return `application/json;as=Table;${METADATA}`;
  if (isMetadataOnly !== true) return 'application/json';
  return `application/json;as=PartialObjectMetadata${as === 'list' ? 'List' : ''};${METADATA}`;
}

/** Its path with a query that has the selectors and `parameters`. */
export function pathOf(
  { path, labelSelector, fieldSelector, readTable }: WatchedKind,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const query = new URLSearchParams();
  const includeObject = readTable === undefined ? undefined : 'None';
  for (const [name, value] of Object.entries({ labelSelector, fieldSelector, includeObject, ...parameters })) {
    if (value !== undefined) query.set(name, value);
  }
  return `${path}?${query}`;
}
