/** The label values that CoreDNS gives to types and rcodes: dashboards select by them. */

/** The types that CoreDNS 1.15 counts by name (seen on its metrics page, every type asked once); all others are `other`. */
const MONITORED_TYPES: readonly (readonly [type: number, label: string])[] = [
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [12, 'PTR'],
  [15, 'MX'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
  [43, 'DS'],
  [46, 'RRSIG'],
  [47, 'NSEC'],
  [48, 'DNSKEY'],
  [50, 'NSEC3'],
  [64, 'SVCB'],
  [65, 'HTTPS'],
  [251, 'IXFR'],
  [252, 'AXFR'],
  [255, 'ANY'],
];

/** Labels of the `type` label by slot; slot 0 takes what is not monitored. */
export const TYPE_LABELS: readonly string[] = ['other', ...MONITORED_TYPES.map(([, label]) => label)];

/** The slot of each type below 256. */
export const TYPE_SLOTS = new Uint8Array(256);
for (const [index, [type]] of MONITORED_TYPES.entries()) TYPE_SLOTS[type] = index + 1;

/** Labels of the `rcode` label by rcode; one more for those that have no name. */
export const RCODE_LABELS: readonly string[] = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
  'DSOTYPENI',
  'RCODE12',
  'RCODE13',
  'RCODE14',
  'RCODE15',
  'BADVERS',
  'BADKEY',
  'BADTIME',
  'BADMODE',
  'BADNAME',
  'BADALG',
  'BADTRUNC',
  'BADCOOKIE',
  'other',
];
