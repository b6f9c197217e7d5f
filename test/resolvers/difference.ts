import type { LookUp, Outcome } from './lookup.ts';
import { MIXED_CASE, SLOW_ZONE } from './names.ts';
import type { Resolver } from './resolvers.ts';

/** Where a look-up came out otherwise than with plain DNS. */
export interface Difference {
  readonly resolver: string;
  readonly plain: Outcome;
  readonly other: Outcome;
}

/** More addresses than a datagram has room for. */
const LARGE = /^(crowd|tomany|over\d+)\b/;

/**
 * What came out otherwise. Addresses and targets are to be the same, and so is the canonical name where the resolver tells it; the error too, but that
 * a program may hear either of the two words for "no such address". */
export function differences(resolver: Resolver, plain: readonly Outcome[], other: readonly Outcome[]): Difference[] {
  return plain.flatMap((outcome, at) =>
    isSame(resolver, outcome, other[at]!) ? [] : [{ resolver: resolver.name, plain: outcome, other: other[at]! }],
  );
}

/** Where an answer may only have been late. */
export function isOfTime({ plain, other }: Difference): boolean {
  return [plain, other].some(({ status }) => status === 'AGAIN' || status === 'TIMEOUT');
}

function isSame(resolver: Resolver, plain: Outcome, other: Outcome): boolean {
  // Either address may be late without the other.
  if (plain.name.endsWith(SLOW_ZONE)) return plain.status !== 'ok' || other.status === 'ok';
  if (plain.status !== other.status) return isAbsent(plain) && isAbsent(other);
  if (canonicalOf(plain) !== canonicalOf(other) && !isByChance(resolver, plain)) return false;
  if (resolver.givesSome && LARGE.test(plain.name)) return true;
  return plain.found.join() === other.found.join();
}

/** Words that say the same to a program: there is no such address. glibc's gethostbyname gives the third for an alias without addresses of the family. */
function isAbsent({ kind, status }: Outcome): boolean {
  return status === 'NONAME' || status === 'NODATA' || (kind === 'HOST' && status === 'FAIL');
}

function canonicalOf({ name, canonical }: Outcome): string {
  return name.includes(MIXED_CASE) ? canonical : canonical.toLowerCase();
}

/** Go takes the canonical name from whichever of its two answers comes first, and they differ where an alias has addresses of one family only. */
function isByChance(resolver: Resolver, { kind }: LookUp): boolean {
  return resolver.name === 'go' && kind === 'HOST';
}

/** For the message of a failed test. */
export function textOf({ resolver, plain, other }: Difference): string {
  const said = ({ status, canonical, found }: Outcome): string =>
    [status, canonical, found.slice(0, 4).join(',') + (found.length > 4 ? ` … ${found.length}` : '')].join(' ');
  return `${resolver}: ${asked(plain)}: ${said(plain)} | ${said(other)}`;
}

function asked({ kind, name }: LookUp): string {
  return `${kind} ${name}`;
}
