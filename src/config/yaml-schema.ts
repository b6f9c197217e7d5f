import * as v from 'valibot';
import type { CachePolicy } from './config.ts';
import { formatDuration } from './duration.ts';
import { DEFAULTS } from './flags.ts';
import { KINDS, type ValueKind } from './value-kinds.ts';
import { YamlLeaf } from './yaml-tree.ts';
import { CLUSTER_DEFAULTS, OUTSIDE_DEFAULTS } from './zone-defaults.ts';

/** What documentation says of a key. */
export interface KeyText {
  readonly meaning: string;
  readonly allowed: string;
  /** YAML, on one line. */
  readonly example: string;
  readonly default: string;
}

type Schema = v.GenericSchema<unknown, unknown>;

type Kind = Pick<ValueKind<unknown>, 'allowed' | 'example'>;

const UPSTREAM: Kind = {
  allowed: 'IP[:PORT], with udp://, tcp://, udp+tcp://, tls:// or https:// before it where the transport matters',
  example: '10.1.2.3',
};
const HTTP: Kind = { allowed: 'IP:PORT, or off', example: '127.0.0.1:9254' };
const NAME: Kind = { allowed: 'a domain name', example: 'corp.example' };
const FILE: Kind = { allowed: 'the path of a file', example: '/etc/signpost/hosts' };

const CACHE: Schema = v.objectWithRest(
  {
    minTtl: one(
      KINDS.minTtl,
      'An answer lives at least so long, whatever its TTL says.',
      ofCache('positiveMinSeconds'),
    ),
    maxTtl: one(KINDS.maxTtl, 'An answer lives at most so long.', ofCache('positiveMaxSeconds')),
    negativeMinTtl: one(
      KINDS.negativeMinTtl,
      'The same for answers that there is no such name, or no record of that type.',
      ofCache('negativeMinSeconds'),
    ),
    negativeMaxTtl: one(KINDS.negativeMaxTtl, 'And at most so long.', ofCache('negativeMaxSeconds')),
    stale: one(
      KINDS.stale,
      'How long after its end an answer may still be given while no upstream answers (RFC 8767).',
      ofCache('staleSeconds'),
    ),
    staleTtl: one(KINDS.staleTtl, 'The TTL on such an answer.', ofCache('staleTtlSeconds')),
    staleAfter: one(
      KINDS.staleAfter,
      'How long a client waits for a fresh answer before it is given a stale one.',
      ofCache('staleAfterMs'),
    ),
    prefetch: one(KINDS.prefetch, 'Hits that make an answer worth refreshing before it ends.', ofCache('prefetchHits')),
    keepLastGood: one(
      KINDS.keepLastGood,
      'When an upstream says all at once that a name is gone, or empty, the last good answer goes on for so long.',
      ofCache('keepLastGoodSeconds'),
    ),
  },
  v.never(),
);

const TLS: Schema = v.objectWithRest(
  {
    caFile: one(
      { allowed: 'the path of a file of certificates (PEM)', example: '/etc/signpost/ca.pem' },
      "Authorities that `tls://` and `https://` upstreams of the zone are checked with, in place of Node's own. Watched.",
      'those that come with Node.js',
    ),
  },
  v.never(),
);

const ZONE: Schema = v.objectWithRest(
  {
    upstreams: many(
      UPSTREAM,
      'Who is asked for names in the zone. Without it the zone is a part of the one that encloses it: its upstreams are asked, and whatever else is ' +
        'not said of the part is as it is there. For `.` and the cluster domain the same as `upstreams` and `clusterDns` above, for which give one of the two.',
      'those of the enclosing zone',
    ),
    policy: one(KINDS.policy, 'Which of several upstreams is asked first.', '`policy` above'),
    tryTimeout: one(
      KINDS.tryTimeout,
      'How long one upstream has for its answer before another is asked.',
      both(formatDuration(CLUSTER_DEFAULTS.tryMs), formatDuration(OUTSIDE_DEFAULTS.tryMs)),
    ),
    totalTimeout: one(
      KINDS.totalTimeout,
      'How long all tries together may take.',
      both(formatDuration(CLUSTER_DEFAULTS.totalMs), formatDuration(OUTSIDE_DEFAULTS.totalMs)),
    ),
    tls: map(TLS),
    source: one(
      { allowed: 'an IP address of this machine', example: '10.0.0.5' },
      'The address that questions to upstreams of its family leave from.',
      "the kernel's choice",
    ),
    cookies: one(
      on('on'),
      'Upstreams are sent DNS cookies (RFC 7873) and must send them back. Not over TLS, which proves more.',
      'off',
    ),
    mixedCase: one(
      on('on'),
      'Letters of names are sent in random case and must come back so, which makes a forged answer harder to guess. Not over TLS.',
      'off',
    ),
    aaaa: one(
      KINDS.onOff,
      '`off`: IPv6 addresses are answered with “no such record” here, and no upstream is asked for them.',
      'on',
    ),
    hosts: v.optional(hosts()),
    hostsFile: one(
      FILE,
      'A hosts(5) file that is answered in the same way: those of its names that are in the zone. A line that cannot be read is passed over and logged. Watched.',
      'none',
    ),
    aliases: v.optional(aliases()),
    refuse: many(
      { allowed: 'a name in the zone', example: 'ads.corp.example' },
      'Every question for these names and for names below them is REFUSED.',
      'none',
    ),
    logSample: one(KINDS.logSample, 'One query in so many is logged.', '`logSample` above'),
    cache: map(CACHE),
  },
  v.never(),
);

const AGENT: Schema = v.objectWithRest(
  {
    listen: many(
      { allowed: 'IP or IP:PORT of this machine, no wildcard', example: '169.254.20.10' },
      'Where DNS is answered, over UDP and TCP.',
      DEFAULTS.listen,
    ),
    metrics: one({ ...HTTP, example: '0.0.0.0:9253' }, '`/metrics` alone, for the network.', DEFAULTS.metrics),
    admin: one(HTTP, 'Status page, `/health`, `/ready`, `/metrics`, for the node itself.', DEFAULTS.admin),
    probes: many(
      { ...HTTP, allowed: 'IP:PORT', example: '169.254.20.10:8080' },
      '`/health` and `/ready` alone, on further addresses: where probes asked before.',
      'none',
    ),
    clusterDns: many(
      { ...UPSTREAM, example: '10.96.0.10' },
      'The cluster DNS, over TCP unless the value says otherwise. `endpoints`: the pods behind `clusterDnsService`, and what else is named here (or its address) for as long as none is known.',
      'the address of `clusterDnsService`: by the environment, else by the API',
    ),
    clusterDnsService: one(
      KINDS.clusterDnsService,
      'The Service of the cluster DNS: the API says where it is where `clusterDns` and the environment do not, and which pods are behind it.',
      '`kube-system/kube-dns-upstream`, then `kube-system/kube-dns`',
    ),
    clusterDomain: one({ ...NAME, example: 'cluster.local' }, 'The zone of the cluster.', DEFAULTS.clusterDomain),
    upstreams: many(
      { ...UPSTREAM, example: '9.9.9.9' },
      'Who is asked for everything else, over UDP, and TCP where an answer is truncated, unless the value says otherwise.',
      'name servers of `resolvConf`',
    ),
    resolvConf: one(
      { allowed: 'the path of a resolv.conf', example: '/run/systemd/resolve/resolv.conf' },
      'Its name servers are the upstreams where none are given, and its search suffixes those that pods have behind the cluster’s (`search: complete`). Watched.',
      DEFAULTS.resolvConf,
    ),
    policy: one(KINDS.policy, 'Which of several upstreams is asked first.', DEFAULTS.policy),
    cacheSize: one(KINDS.cacheSize, 'Memory for answers, all zones together.', DEFAULTS.cacheSize),
    nodeNetwork: one(
      KINDS.nodeNetwork,
      "What the agent sets up on the node: link, addresses, rules and the dead-man's switch; or a part of it.",
      DEFAULTS.nodeNetwork,
    ),
    interface: one(KINDS.interface, 'The link that the listen addresses are put on.', DEFAULTS.interface),
    noTrack: one(
      KINDS.onOff,
      'Queries leave no entry in the connection table. Off is for a CNI or a firewall that needs to see connections.',
      DEFAULTS.noTrack,
    ),
    state: one(KINDS.state, 'The folder of the hand-over socket and the snapshot of the cache.', 'none'),
    nodeName: one(KINDS.nodeName, 'The Kubernetes node that this is.', '`NODE_NAME` of the environment'),
    kubernetes: one(
      KINDS.kubernetes,
      'Whether the Kubernetes API is asked: off; auto: where the pod has credentials; or the path of a kubeconfig.',
      DEFAULTS.kubernetes,
    ),
    search: one(
      KINDS.search,
      "What is done about names that a pod's search path makes: off; local: they are kept away from the cluster DNS; complete: the first of them is answered for the last (docs/search-paths.md).",
      DEFAULTS.search,
    ),
    lease: one(
      KINDS.onOff,
      'Answers of the cluster zone live on, ten minutes at most, while the Kubernetes API says that nothing changed.',
      DEFAULTS.lease,
    ),
    nodeNames: one(KINDS.onOff, "Names of the cluster's nodes are answered with their addresses.", DEFAULTS.nodeNames),
    lameduck: one(KINDS.lameduck, 'How long the agent goes on answering after SIGTERM, not ready.', DEFAULTS.lameduck),
    logLevel: one(KINDS.logLevel, 'What is logged: this, and what is worse.', DEFAULTS.logLevel),
    logFormat: one(KINDS.logFormat, 'For persons or for programs.', 'text on a terminal, else json'),
    logSample: one(KINDS.logSample, 'One query in so many is logged.', DEFAULTS.logSample),
    zones: map(v.record(v.string(), v.pipe(isMap(), ZONE)) as Schema),
  },
  v.never(),
);

/** The configuration file. What its values may be is checked where they meet those of flags; this says which there are. */
export const CONFIG_FILE: Schema = v.pipe(isMap('a map of keys, such as clusterDns: 10.96.0.10'), AGENT);

/** A key with its text, or with the keys below it. */
export interface DocumentedKey {
  readonly key: string;
  readonly text: KeyText | undefined;
  readonly keys: readonly DocumentedKey[];
}

/** All keys of the file in their order; those of a zone below `zones`. */
export function documentedKeys(): readonly DocumentedKey[] {
  return keysOf(CONFIG_FILE as Nest);
}

/** The keys that a map of the file may have, by the way to it. */
export function keysAt(path: readonly string[]): readonly string[] {
  let keys = documentedKeys();
  for (const [index, part] of path.entries()) {
    // The names of zones are the user's own.
    if (index === 1) continue;
    keys = keys.find(({ key }) => key === part)?.keys ?? [];
  }
  return keys.map(({ key }) => key);
}

/** What schemas have in which others stand. */
interface Nest {
  readonly entries?: Readonly<Record<string, Nest>>;
  readonly wrapped?: Nest;
  readonly pipe?: readonly Nest[];
  readonly value?: Nest;
}

function keysOf(schema: Nest): readonly DocumentedKey[] {
  const { entries, wrapped, pipe, value } = schema;
  if (entries !== undefined) {
    return Object.entries(entries).map(([key, entry]) => {
      const text = v.getMetadata((entry.wrapped ?? entry) as Schema) as Partial<KeyText>;
      return { key, text: text.meaning === undefined ? undefined : (text as KeyText), keys: keysOf(entry) };
    });
  }
  if (wrapped !== undefined) return keysOf(wrapped);
  if (pipe !== undefined && pipe.length > 1) return pipe.slice(1).flatMap(keysOf);
  return value === undefined ? [] : keysOf(value);
}

function one(kind: Kind, meaning: string, byDefault: string): Schema {
  return v.optional(v.pipe(leaf(kind), text(kind, kind.example, meaning, byDefault)));
}

/** A list; a single value is a list of one. */
function many(kind: Kind, meaning: string, byDefault: string): Schema {
  const allowed = `a list, each ${kind.allowed}`;
  return v.optional(
    v.pipe(
      v.any(),
      v.transform((tree: unknown): unknown => (tree instanceof YamlLeaf && !tree.isEmpty ? [tree] : tree)),
      v.array(leaf(kind), `expected ${allowed}, such as [${kind.example}]`),
      v.minLength(1, `expected ${allowed}, such as [${kind.example}]`),
      text({ allowed, example: kind.example }, `[${kind.example}]`, meaning, byDefault),
    ),
  );
}

/** Lines of hosts(5), or a map of names to addresses. */
function hosts(): Schema {
  const kind = { allowed: 'lines of hosts(5), or a map of names to addresses', example: 'db.corp.example: 10.1.2.3' };
  const address = { allowed: 'an IP address, or a list of them', example: '10.1.2.3' };
  const line = { allowed: 'an address and its names', example: '10.1.2.3 db.corp.example' };
  const toList = (tree: unknown): unknown => (tree instanceof YamlLeaf && !tree.isEmpty ? [tree] : tree);
  const addresses = v.pipe(v.any(), v.transform(toList), v.array(leaf(address), `expected ${address.allowed}`));
  return v.pipe(
    v.any(),
    v.transform(toList),
    v.lazy((tree) =>
      Array.isArray(tree)
        ? v.array(leaf(line))
        : v.pipe(isMap(kind.allowed), v.record(v.string(), addresses) as Schema),
    ),
    text(
      kind,
      '{ db.corp.example: 10.1.2.3 }',
      'Names that are answered here, before any upstream is asked: A, AAAA, and PTR for their addresses. The other family of a name is “no such record”.',
      'none',
    ),
  );
}

/** A map of names to names. */
function aliases(): Schema {
  const kind = { allowed: 'a map of names to names', example: 'db.corp.example: pg.shop.svc.cluster.local' };
  return v.pipe(
    isMap(`${kind.allowed}, such as {${kind.example}}`),
    v.record(v.string(), leaf({ ...NAME, example: 'pg.shop.svc.cluster.local' })) as Schema,
    text(
      kind,
      `{ ${kind.example} }`,
      'Names that stand for others, in any zone: they are answered with a CNAME and with what the other name gives.',
      'none',
    ),
  );
}

function leaf({ allowed, example }: Kind): Schema {
  const expected = `expected ${allowed}, such as ${example}`;
  return v.pipe(
    v.instance(YamlLeaf, expected),
    v.check(({ isEmpty }) => !isEmpty, expected),
  );
}

/** Nothing at all is an empty map: someone has commented out what was in it. */
function map(schema: Schema): Schema {
  return v.optional(v.pipe(isMap(), schema));
}

function isMap(allowed = 'a map of keys'): Schema {
  return v.pipe(
    v.any(),
    v.transform((tree: unknown): unknown => (tree instanceof YamlLeaf && tree.isEmpty ? {} : tree)),
    v.custom<object>(
      (tree) => typeof tree === 'object' && !Array.isArray(tree) && !(tree instanceof YamlLeaf),
      `expected ${allowed}`,
    ),
  );
}

function text({ allowed }: Kind, example: string, meaning: string, byDefault: string) {
  const keyText: KeyText = { meaning, allowed, example, default: byDefault };
  return v.metadata({ ...keyText });
}

function on(example: string): Kind {
  return { allowed: KINDS.onOff.allowed, example };
}

/** The default of cluster zones and of others, where the two differ. */
function both(cluster: string, outside: string): string {
  return cluster === outside ? cluster : `${cluster} in zones of the cluster, else ${outside}`;
}

function ofCache(key: keyof CachePolicy): string {
  const show = (value: number): string => {
    if (key === 'prefetchHits') return String(value);
    if (key === 'keepLastGoodSeconds' && value === 0) return 'off';
    return formatDuration(key === 'staleAfterMs' ? value : value * 1000);
  };
  return both(show(CLUSTER_DEFAULTS.cache[key]), show(OUTSIDE_DEFAULTS.cache[key]));
}
