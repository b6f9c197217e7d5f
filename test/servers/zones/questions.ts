/** A name and a type of `TYPES`. */
export type NameAndType = readonly [name: string, type: string];

/** What a question list says on one line: the types that are asked for each of the names. */
type Row = readonly [types: string, names: string];

/** Every kind of name in example.test with the types that matter for it. The zone is added; a dot stands for its apex. */
const EXAMPLE: readonly Row[] = [
  ['A AAAA MX TXT NS SOA CAA SRV', '.'],
  ['A AAAA TXT HTTPS PTR', 'one two dual v6only few mail ns1 ns2'],
  ['A TXT', 'over512 over1232 over4096'],
  ['AAAA A', 'over4096v6'],
  ['TXT A', 'longtext bigtext txt'],
  ['A AAAA', 'ttl0 ttl1 ttl2 ttlday ttlmax'],
  ['A AAAA CNAME TXT', 'alias chain1 chain4 tomany tosigned tonodata tonxdomain'],
  ['A AAAA CNAME', 'mixedttl tooutside todelegated loop1 loop2 self'],
  ['A TXT AAAA', 'any.wild other.any.wild real.wild below.real.wild wild'],
  ['A AAAA CNAME', 'any.wildalias wildalias'],
  ['A MX', 'empty b.empty a.b.empty x.b.empty'],
  ['A AAAA DNAME', 'tree x.tree y.tree nothere.tree'],
  ['A NS', 'sub host.sub ns.sub'],
  ['MX A', 'mx'],
  ['SRV A', 'srv _sip._tcp'],
  ['NAPTR', 'naptr'],
  ['CAA', 'caa'],
  ['SVCB', 'svcb'],
  ['HTTPS A', 'https httpsalias'],
  ['SSHFP', 'sshfp'],
  ['TLSA', '_443._tcp'],
  ['HINFO', 'hinfo'],
  ['RP', 'rp'],
  ['LOC', 'loc'],
  ['URI', 'uri'],
  ['TYPE65280 A', 'unknown empty-rdata'],
  ['PTR', 'ptr'],
  ['A AAAA TXT', 'nothere a.nothere b.a.nothere'],
  ['A AAAA', 'mixed upper under_score xn--bcher-kva dot\\.in\\.label space\\032label back\\\\slash byte\\001\\200'],
  ['A AAAA', longLabel('1', 63)],
  ['A', `${`${longLabel('l', 63)}.`.repeat(3)}${longLabel('l', 43)}.long`],
];

const SIGNED: readonly Row[] = [
  ['A AAAA TXT MX NS SOA DNSKEY NSEC', '.'],
  ['A AAAA TXT', 'www mail alias chain'],
  ['TXT', 'txt'],
  ['A TXT', 'x.wild y.x.wild empty b.empty'],
  ['A', 'many'],
  ['SRV', 'srv'],
  ['A NS DS', 'insecure host.insecure'],
  ['A AAAA', 'nothere a.nothere'],
];

const REVERSE: readonly NameAndType[] = ['10', '11', '13', '14', '14.sub', '99', ''].map((name) => [
  `${name}${name && '.'}2.0.192.in-addr.arpa`,
  'PTR',
]);

const OUTSIDE: readonly NameAndType[] = [
  ['com', 'A'],
  ['www.elsewhere.invalid', 'A'],
  ['www.elsewhere.invalid', 'AAAA'],
  ['.', 'NS'],
  ['.', 'SOA'],
  ['test', 'NS'],
];

/** More than 200 questions that BIND with the zones of this folder answers in every way there is. */
export const QUESTIONS: readonly NameAndType[] = [
  ...below('example.test', EXAMPLE),
  ...below('signed.test', SIGNED),
  ...REVERSE,
  ...OUTSIDE,
];

function below(zone: string, rows: readonly Row[]): NameAndType[] {
  return rows.flatMap(([types, names]) =>
    names
      .split(' ')
      .flatMap((name) => types.split(' ').map((type): NameAndType => [name === '.' ? zone : `${name}.${zone}`, type])),
  );
}

/** `letter` and counted digits, as the zone file spells its longest names. */
function longLabel(letter: string, length: number): string {
  return (letter + '2345678901'.repeat(7)).slice(0, length);
}
