/** The names that are asked. Seeded: every run and every server gets the same list in the same order. */

const NAMESPACES = 50;
const SEED = 2463534242;

/** Every name of the zone but the wildcard, as `service-7.ns-7.svc.cluster.local`. */
export function serviceNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `service-${index}.ns-${index % NAMESPACES}.svc.cluster.local`);
}

/**
 * `count` of `names`, where the name of rank r comes 1/r as often as the first (Zipf's law with exponent 1, near what resolvers see).
 * Ranks follow the order of `names`.
 */
export function zipfSample(names: readonly string[], count: number): string[] {
  const random = seededRandom();
  const draw = zipfDraw(names, random);
  return Array.from({ length: count }, draw);
}

/** Draws one of `names` at a time in that way. */
export function zipfDraw(names: readonly string[], random: () => number, exponent = 1): () => string {
  const cumulative = new Float64Array(names.length);
  let total = 0;
  for (let rank = 0; rank < names.length; rank++) cumulative[rank] = total += 1 / (rank + 1) ** exponent;
  return () => names[firstAbove(cumulative, random() * total)]!;
}

/** From 0 up to 1, not including it; the same numbers each time. */
export function seededRandom(): () => number {
  return xorshift(SEED);
}

/** Below it every name exists (a wildcard), and its answers may be kept. */
export const WILDCARD = 'miss.svc.cluster.local';
/** The same, with TTL 0: what may not be kept. */
export const FLEETING = 'fleeting.svc.cluster.local';
/** Outside the cluster's zone, whose answers are kept for 30 s: here for an hour. */
export const LASTING = 'lasting.test';

/** `count` different names below a wildcard, so that none of them was ever asked. */
export function uniqueNames(prefix: string, count: number, wildcard = WILDCARD): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index.toString(36)}.${wildcard}`);
}

/** `count` names, nine of ten from `known` as `zipfSample` draws them, each tenth one never asked before. */
export function mixedSample(known: readonly string[], prefix: string, count: number): string[] {
  const sample = zipfSample(known, count);
  const fresh = uniqueNames(prefix, Math.ceil(count / 10));
  for (let index = 0; index < fresh.length; index++) sample[index * 10] = fresh[index]!;
  return sample;
}

/** The lines of a query file, as dnsblast and dnsperf read them. */
export function queryLines(names: readonly string[]): string {
  return `${names.join(' A\n')} A\n`;
}

/** Index of the first value above `wanted`, in a rising list whose last value is above it. */
function firstAbove(rising: Float64Array, wanted: number): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** From 0 up to 1, not including it. Marsaglia's xorshift with 32 bits: good enough to shuffle names, and the same everywhere. */
function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}
