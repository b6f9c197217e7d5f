/** What every object of the Kubernetes API has, as far as it is read here. */
export interface ApiObject {
  readonly metadata: ObjectMeta;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion: string;
  /** RFC 3339. */
  readonly deletionTimestamp?: string | null;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A line of a watch. The object of `ERROR` is a `Status`, that of `BOOKMARK` has a resource version and nothing else. */
export interface WatchEvent<T extends ApiObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T | Status;
}

/** What the API server says in place of what was asked for. */
export interface Status {
  readonly kind: 'Status';
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string }[];
  };
}

/** discovery.k8s.io/v1 */
export interface EndpointSlice extends ApiObject {
  readonly addressType: string;
  readonly ports?: readonly EndpointPort[] | null;
  readonly endpoints?: readonly Endpoint[] | null;
}

export interface EndpointPort {
  readonly name?: string | null;
  readonly port?: number | null;
  /** TCP where it is not said. */
  readonly protocol?: string | null;
}

export interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean | null; readonly serving?: boolean | null } | null;
  readonly nodeName?: string | null;
  readonly zone?: string | null;
  /** For which zones and nodes the cluster means it. */
  readonly hints?: { readonly forZones?: readonly Hint[] | null; readonly forNodes?: readonly Hint[] | null } | null;
}

export interface Hint {
  readonly name: string;
}

export interface NodeObject extends ApiObject {
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[] | null;
  } | null;
}

export interface Service extends ApiObject {
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
  };
}

/** As far as it is read. */
export interface Pod extends ApiObject {
  readonly spec?: {
    readonly dnsPolicy?: string;
    readonly dnsConfig?: {
      readonly searches?: readonly string[] | null;
      readonly options?: readonly { readonly name?: string; readonly value?: string | null }[] | null;
    } | null;
    readonly hostNetwork?: boolean;
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip?: string }[] | null;
  };
}
