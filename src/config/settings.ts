/**
 * What a person said, before it is merged and checked: flags, a YAML file, a Corefile and the kube-dns ConfigMap all come to this one shape, each a
 * layer. Every value is still the text that was written, with where it was written, so that one place reads all of them and can say what is
 * wrong with any. The shape and the keys are those of the YAML file (docs/configuration.md says what each means). Types only.
 */

/** Where a value was written, as messages say it. */
export interface Origin {
  /** The option, variable or key: `--listen`, `zones."corp.example".cache.maxTtl`, `forward`. */
  readonly name: string;
  /** The file, with the line where there are lines: `signpost.yaml:12`. Undefined for options and variables. */
  readonly place?: string;
}

/** A value as it was written: `30s`, `tcp://10.1.2.3`, `off`. */
export interface Said {
  readonly text: string;
  readonly origin: Origin;
}

/** One layer. What is undefined was not said in it; an empty list was. */
export interface Settings {
  readonly listen?: readonly Said[];
  readonly metrics?: Said;
  readonly admin?: Said;
  readonly probes?: readonly Said[];
  readonly clusterDns?: readonly Said[];
  readonly clusterDnsService?: Said;
  readonly clusterDomain?: Said;
  readonly upstreams?: readonly Said[];
  readonly resolvConf?: Said;
  readonly policy?: Said;
  readonly cacheSize?: Said;
  readonly nodeNetwork?: Said;
  readonly interface?: Said;
  /** on, off */
  readonly noTrack?: Said;
  readonly state?: Said;
  readonly nodeName?: Said;
  readonly kubernetes?: Said;
  readonly search?: Said;
  /** on, off; and so is `nodeNames` */
  readonly lease?: Said;
  readonly nodeNames?: Said;
  readonly lameduck?: Said;
  readonly logLevel?: Said;
  readonly logFormat?: Said;
  readonly logSample?: Said;
  readonly zones?: readonly ZoneSettings[];
  /** What was passed over, for the log: nothing that stops the agent. */
  readonly notes?: readonly string[];
}

/** What one layer says of one zone: the cluster domain, a reverse zone, a stub domain, or `.`; in any letter case, with or without the last dot. */
export interface ZoneSettings {
  readonly zone: Said;
  /** `.` and the cluster domain: the same as `upstreams` and `clusterDns` above, of which only one may be said. None: those of the enclosing zone. */
  readonly upstreams?: readonly Said[];
  readonly policy?: Said;
  readonly tryTimeout?: Said;
  readonly totalTimeout?: Said;
  readonly tls?: TlsSettings;
  /** The local address that questions leave from. */
  readonly source?: Said;
  /** on, off */
  readonly cookies?: Said;
  readonly mixedCase?: Said;
  readonly cache?: CacheSettings;
  /** off: NODATA for AAAA. */
  readonly aaaa?: Said;
  /** Lines of hosts(5). */
  readonly hosts?: readonly Said[];
  readonly hostsFile?: Said;
  /** By the name that stands for another, that other. */
  readonly aliases?: Readonly<Record<string, Said>>;
  readonly logSample?: Said;
  /** Names in the zone that are refused, with all below them. */
  readonly refuse?: readonly Said[];
}

export interface TlsSettings {
  readonly caFile?: Said;
}

/** Durations, `stale` (off or a duration) and `prefetch` (hits; 0: off). */
export interface CacheSettings {
  readonly minTtl?: Said;
  readonly maxTtl?: Said;
  readonly negativeMinTtl?: Said;
  readonly negativeMaxTtl?: Said;
  readonly stale?: Said;
  readonly staleTtl?: Said;
  readonly staleAfter?: Said;
  readonly prefetch?: Said;
  readonly keepLastGood?: Said;
}
