/**
 * What a program asks its resolver for: addresses of one family or of both (getaddrinfo), a host by gethostbyname (Go: the canonical name), or records by
 * the resolver's search function.
 */
export type Kind = 'A' | 'AAAA' | 'BOTH' | 'HOST' | 'SRV' | 'MX';

export interface LookUp {
  readonly kind: Kind;
  readonly name: string;
}

/** What came of it. */
export interface Outcome extends LookUp {
  /** `ok`, or the error in words that all resolvers have in common: NONAME, NODATA, AGAIN, TIMEOUT, FAIL. */
  readonly status: string;
  /** Empty where the resolver tells none. */
  readonly canonical: string;
  /** Addresses or targets, sorted: their order rotates. */
  readonly found: readonly string[];
}

/** What resolvers' programs read: a line for each look-up, done one after the other. */
export function linesOf(lookUps: readonly LookUp[]): string {
  return lookUps.map(({ kind, name }) => `${kind} ${name}\n`).join('');
}

/** What resolvers' programs write: a line for each look-up, `KIND NAME STATUS CANONICAL FOUND` with tabs between. */
export function outcomesFrom(text: string): Outcome[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [kind, name, status, canonical, found] = line.split('\t');
      const sorted = found === '' ? [] : found!.split(',').sort();
      return { kind: kind as Kind, name: name!, status: status!, canonical: canonical!, found: sorted };
    });
}
