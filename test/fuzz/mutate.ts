import type { Random } from './random.ts';

type Mutation = (octets: Uint8Array, random: Random, seeds: readonly Uint8Array[]) => Uint8Array;

/** Those at which code decides: label types, lengths, types with a meaning of their own. */
const TELLING = [0, 1, 5, 6, 11, 12, 24, 28, 41, 63, 64, 127, 128, 191, 192, 193, 250, 255];
const MOST_OCTETS = 2048;

const flip: Mutation = (octets, random) => {
  const at = random.below(octets.length);
  octets[at] = octets[at]! ^ (1 << random.below(8));
  return octets;
};

const set: Mutation = (octets, random) => {
  octets[random.below(octets.length)] = random.pick(TELLING);
  return octets;
};

const insert: Mutation = (octets, random) => {
  const at = random.below(octets.length + 1);
  const added = Uint8Array.from({ length: 1 + random.below(16) }, () => random.below(256));
  return join(octets.subarray(0, at), added, octets.subarray(at));
};

const remove: Mutation = (octets, random) => {
  const at = random.below(octets.length);
  return join(octets.subarray(0, at), octets.subarray(at + 1 + random.below(16)));
};

const splice: Mutation = (octets, random, seeds) => {
  const other = random.pick(seeds);
  return join(octets.subarray(0, random.below(octets.length + 1)), other.subarray(random.below(other.length)));
};

const repeat: Mutation = (octets, random) => {
  const from = random.below(octets.length);
  const to = from + 1 + random.below(32);
  return join(octets.subarray(0, to), octets.subarray(from));
};

const truncate: Mutation = (octets, random) => octets.slice(0, random.below(octets.length + 1));

/** Mostly small counts, for large ones fail at once. */
const count: Mutation = (octets, random) => {
  const at = 4 + 2 * random.below(4);
  if (at + 1 >= octets.length) return octets;
  octets[at] = random.below(8) === 0 ? random.below(256) : 0;
  octets[at + 1] = random.below(8) === 0 ? 255 : random.below(6);
  return octets;
};

/** A pointer anywhere: to itself, near itself, or to anywhere else. */
const pointer: Mutation = (octets, random) => {
  if (octets.length < 14) return octets;
  const at = 12 + random.below(octets.length - 13);
  const pointed = random.below(3) === 0 ? random.below(octets.length) : Math.max(0, at + 4 - random.below(24));
  octets[at] = 0xc0 | (pointed >>> 8);
  octets[at + 1] = pointed;
  return octets;
};

/** A chain of pointers, each to the one before, and at times into a loop. */
const chain: Mutation = (octets, random) => {
  const links = 1 + random.below(140);
  const start = octets.length;
  const added = new Uint8Array(2 * links);
  for (let i = 0; i < links; i++) {
    const pointed = i === 0 ? random.pick([12, start, start + 2 * (links - 1)]) : start + 2 * (i - 1);
    added[2 * i] = 0xc0 | ((pointed >>> 8) & 0x3f);
    added[2 * i + 1] = pointed;
  }
  return join(octets, added);
};

const mutations: readonly Mutation[] = [
  flip,
  flip,
  set,
  set,
  insert,
  remove,
  splice,
  repeat,
  truncate,
  count,
  pointer,
  pointer,
  chain,
];

/** One of `seeds` with one to six changes. */
export function mutate(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  let octets: Uint8Array = random.pick(seeds).slice();
  for (let left = 1 + random.below(6); left > 0; left--) {
    if (octets.length > 0) octets = random.pick(mutations)(octets, random, seeds);
  }
  return octets.subarray(0, MOST_OCTETS);
}

function join(...parts: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
