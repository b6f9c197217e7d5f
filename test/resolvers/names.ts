import type { KubernetesObject } from '../cluster/api.ts';
import { namespace, port, service } from '../cluster/fixtures.ts';
import type { Kind, LookUp } from './lookup.ts';

/** What the cluster has besides `CLUSTER`: Services of one family and of both, and aliases. */
export const MORE_OBJECTS: readonly KubernetesObject[] = [
  // On the way to two.example.test stands a name without addresses.
  namespace('two'),
  ...service('shop', 'six', { ipFamilies: ['IPv6'], clusterIP: 'fd00:10:96::66', ports: [port('http', 80)] }, []),
  ...service(
    'shop',
    'both',
    {
      ipFamilyPolicy: 'RequireDualStack',
      clusterIPs: ['10.96.10.9', 'fd00:10:96::69'],
      clusterIP: '10.96.10.9',
      ports: [port('http', 80)],
    },
    [],
  ),
  ...service('shop', 'out-alias', { type: 'ExternalName', externalName: 'chain1.example.test' }),
  ...service('shop', 'out-nowhere', { type: 'ExternalName', externalName: 'nothere.example.test' }),
  ...service('shop', 'out-six', { type: 'ExternalName', externalName: 'v6only.example.test' }),
];

/** Where kubelet's node is: a suffix of its resolv.conf, which stands behind the cluster's three. */
export const NODE_SUFFIX = 'example.test';

const SOA = 'authority "names.test. 30 IN SOA ns.names.test. hostmaster.names.test. 1 7200 900 86400 5"';
const address = (record: string): string => `answer "{{ .Name }} 30 IN ${record}"`;

/** Zones below names.test in which every name exists, so that each look-up can have one that nobody asked for before. Lines of a Corefile. */
export const ENDLESS_ZONES: readonly string[] = [
  ...zone('v4', address('A 192.0.2.101')),
  ...zone('v6', SOA, address('AAAA 2001:db8::101')),
  ...zone('dual', address('A 192.0.2.102'), address('AAAA 2001:db8::102')),
  ...zone('nodata', SOA),
  ...zone('fails', 'rcode SERVFAIL', 'rcode SERVFAIL', 'rcode SERVFAIL'),
  ...zone('v4fails6', address('A 192.0.2.103'), 'rcode SERVFAIL'),
  ...zone('v6fails4', 'rcode SERVFAIL', address('AAAA 2001:db8::103')),
  ...zone('nodata4fails6', SOA, 'rcode SERVFAIL'),
  ...zone('absent', `rcode NXDOMAIN\n${SOA}`, `rcode NXDOMAIN\n${SOA}`, `rcode NXDOMAIN\n${SOA}`),
  ...zone('mail', address('A 192.0.2.104'), SOA, address('MX 5 mail.example.test.')),
  ...zone('alias', address('CNAME dual.example.test.'), address('CNAME dual.example.test.')),
];

function zone(label: string, a: string, aaaa = SOA, others = SOA): string[] {
  return [
    ['A', a],
    ['AAAA', aaaa],
    ['ANY', others],
  ].map(([type, lines]) => `template IN ${type} ${label}.names.test {\n${lines}\n}`);
}

const ADDRESSES: readonly Kind[] = ['A', 'AAAA', 'BOTH', 'HOST'];

const CLUSTER_NAMES = [
  ...['web', 'db', 'db-0.db', 'nohost', 'nobody', 'crowd', 'six', 'both', 'kubernetes', 'nothere'],
  ...['web.shop', 'web.default', 'kubernetes.default', 'db-0.db.shop', 'nothere.default', 'web.nothere', 'both.shop'],
  ...['web.shop.svc', 'web.default.svc', 'db-1.db.shop.svc', '10-244-1-31.nohost.shop.svc', 'six.shop.svc'],
  ...['web.default.svc.cluster.local', 'web.default.svc.cluster.local.', 'nothere.default.svc.cluster.local.'],
  ...['web.shop.svc.cluster.local', 'six.shop.svc.cluster.local', 'nothere.shop.svc.cluster.local'],
  ...['10-244-1-11.shop.pod', '10-244-1-11.shop.pod.cluster.local'],
  // They exist without addresses, on the way: namespaces, and the zone's own branches.
  ...['shop', 'default', 'svc', 'shop.svc', 'cluster.local', 'svc.cluster.local.'],
  ...['outside', 'inside', 'out-alias', 'out-nowhere', 'out-six', 'outside.shop', 'inside.shop.svc'],
  ...['WeB.ShOp', 'WEB', 'Outside'],
  '_http._tcp.web',
];

const OUTSIDE_NAMES = [
  // By the node's own suffix: `one` is one.example.test.
  ...['one', 'two', 'dual', 'v6only', 'alias', 'mx', 'x.wild'],
  ...['one.example.test', 'two.example.test', 'dual.example.test', 'v6only.example.test', 'one.example.test.'],
  ...['nothere.example.test', 'nothere.example.test.', 'mx.example.test', 'txt.example.test', 'empty.example.test'],
  ...['alias.example.test', 'chain1.example.test', 'tonodata.example.test', 'tonxdomain.example.test'],
  ...['tomany.example.test', 'over512.example.test', 'over1232.example.test', 'over4096.example.test'],
  ...['OnE.ExAmPlE.TeSt', 'ALIAS.example.test', 'x.wild.example.test'],
  ...['x.target.tree2.example.test', 'x.tree.example.test', 'ttl0.example.test', 'a.b.c.d.wild.example.test'],
  'l23456789012345678901234567890123456789012345678901234567890123.wild.example.test',
  `${Array(3).fill('l23456789012345678901234567890123456789012345678901234567890123').join('.')}.wild.example.test`,
];

/** What is asked below names.test. Each look-up has a name of its own, so that none finds what another has left. */
const ENDLESS: Readonly<Record<string, readonly Kind[]>> = {
  v4: ADDRESSES,
  v6: ADDRESSES,
  dual: ADDRESSES,
  nodata: ADDRESSES,
  absent: ADDRESSES,
  alias: ADDRESSES,
  mail: ['MX'],
};

const FAILING: Readonly<Record<string, readonly Kind[]>> = {
  fails: ['BOTH'],
  v4fails6: ['A', 'BOTH'],
  v6fails4: ['AAAA', 'BOTH'],
  nodata4fails6: ['A', 'BOTH'],
};

const RECORDS: readonly LookUp[] = [
  ...['_http._tcp.web', '_http._tcp.web.shop', '_postgres._tcp.db', '_nothere._tcp.web', '_sip._tcp.example.test'].map(
    (name): LookUp => ({ kind: 'SRV', name }),
  ),
  ...['web', 'mx', 'mx.example.test', 'one.example.test', 'nothere.example.test', 'mx.example.test.'].map(
    (name): LookUp => ({ kind: 'MX', name }),
  ),
];

/** Every name below it exists, if only as an alias; tests make it slow. */
export const SLOW_ZONE = 'wildalias.example.test';

/** The look-ups of one run, each of which is answered; `run` tells its names apart from other runs'. Their order is by chance, the same for the same run. */
export function answeredLookUps(run: string): readonly LookUp[] {
  const shared = [...CLUSTER_NAMES, ...OUTSIDE_NAMES].flatMap((name) => ADDRESSES.map((kind) => ({ kind, name })));
  const once = [`${run}.${SLOW_ZONE}`, mixedCase(run)].map((name): LookUp => ({ kind: 'BOTH', name }));
  return shuffled([...shared, ...endless(run, ENDLESS), ...RECORDS, ...once], run);
}

/** Fewer, for what others have asked already: the names of the other list once each. */
export function someLookUps(run: string): readonly LookUp[] {
  return answeredLookUps(run).filter(({ kind }) => kind === 'BOTH');
}

/** Where a server fails for a type or for both. musl asks again until its time is over, so they are few. */
export function failingLookUps(run: string): readonly LookUp[] {
  return shuffled(endless(run, FAILING), run);
}

/** The few look-ups by which mistakes in completing show. */
export function tellingLookUps(run: string): readonly LookUp[] {
  const names = ['web.shop', 'two', 'OnE.ExAmPlE.TeSt', 'over512.example.test', 'shop', mixedCase(run)];
  return [
    ...names.map((name): LookUp => ({ kind: 'BOTH', name })),
    ...endless(`${run}-telling`, { v4: ['BOTH'], v6: ['BOTH'], alias: ['BOTH'], mail: ['MX'] }),
  ];
}

/** The look-ups of a run below names.test. */
function endless(run: string, kindsOf: Readonly<Record<string, readonly Kind[]>>): LookUp[] {
  return Object.entries(kindsOf).flatMap(([label, kinds]) =>
    kinds.map((kind) => ({ kind, name: `${run}-${kind.toLowerCase()}.${label}.names.test` })),
  );
}

/** A name that BIND answers in the letter case of the question. Nobody asks for it twice, for a cache may answer in the case in which it was asked first. */
function mixedCase(run: string): string {
  return `${run}${MIXED_CASE}.wild.example.test`;
}

/** In the names whose canonical name is compared letter by letter. */
export const MIXED_CASE = '-MiXeD';

/** By a generator of its own (xorshift32), begun with `seed`. */
function shuffled<T>(items: readonly T[], seed: string): T[] {
  let state = [...seed].reduce((sum, character) => Math.imul(sum, 31) + character.charCodeAt(0), 7) | 1;
  const chance = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const result = [...items];
  for (let at = result.length - 1; at > 0; at--) {
    const other = chance(at + 1);
    [result[at], result[other]] = [result[other]!, result[at]!];
  }
  return result;
}
