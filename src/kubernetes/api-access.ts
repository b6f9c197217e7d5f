/** What a request needs to be let in. */
export interface Credentials {
  readonly token?: string | undefined;
  /** PEM of the authorities that the server's certificate may come from; undefined: those that Node brings. */
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** Where the API server is, and how to be let in. */
export interface ApiAccess {
  /** `https://10.96.0.1:443`, and the path in front of all others where there is one. */
  readonly server: URL;
  /** The name that the server's certificate must have, where it is not the one in `server`. */
  readonly serverName?: string | undefined;
  /** True: the server's certificate is not looked at. */
  readonly isInsecure: boolean;
  /** Where all this comes from, for messages: a file, or `the pod's service account`. */
  readonly origin: string;
  /** Reads the files again: kubelet puts a new token there before the old one ends, and authorities change as well. */
  credentials(): Promise<Credentials>;
}
