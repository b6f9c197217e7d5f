import { MAX_NAME_LENGTH } from '../wire/constants.ts';
import { copyBytes } from '../wire/copy.ts';
import { isWithin } from '../wire/name.ts';
import { serviceAt } from './cluster-names.ts';
import type { PodSearch } from './pod-search.ts';
import type { ServiceEvents } from './service-events.ts';

const ROOT = new Uint8Array(1);

/**
 * The name that a resolver with this search path asks as the `index`-th, from 0 on: what was typed, the first `length` octets at `start`, below each suffix, and at last as it is.
 * Undefined behind the last one. A single label is not asked as it is: it would leave the cluster, and the pod's resolver may do that itself.
 */
export function candidateName(
  bytes: Uint8Array,
  start: number,
  length: number,
  { suffixes }: PodSearch,
  index: number,
): Uint8Array | undefined {
  const isBare = index === suffixes.length;
  const suffix = isBare ? ROOT : suffixes[index];
  if (suffix === undefined || (isBare && bytes[start]! + 1 === length)) return undefined;
  const name = new Uint8Array(length + suffix.length);
  copyBytes(bytes, start, start + length, name, 0);
  name.set(suffix, length);
  return name;
}

/** Whether all names that may be asked for what was typed are names at all. Resolvers differ in what they do about one that is not. */
export function areNames(length: number, { suffixes }: PodSearch): boolean {
  return suffixes.every((suffix) => length + suffix.length <= MAX_NAME_LENGTH);
}

/** Where changes are noted of the Services that any of the names speaks of. */
export function eventSlots(
  bytes: Uint8Array,
  start: number,
  length: number,
  search: PodSearch,
  { zone, zoneLabels }: { zone: Uint8Array; zoneLabels: number },
  events: ServiceEvents,
): number[] {
  const slots: number[] = [];
  for (let index = 0; index <= search.suffixes.length; index++) {
    const name = candidateName(bytes, start, length, search, index);
    if (name === undefined || !isWithin(name, 0, name.length, zone)) continue;
    const at = serviceAt(name, 0, name.length, zoneLabels);
    if (at !== -1) slots.push(events.slotOf(name, at));
  }
  return slots;
}
