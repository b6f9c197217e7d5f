import { firstNameIn, namesIn } from '../../src/wire/rdata-names.ts';
import { expectedName, expectedNameEnd, type RecordRead } from './oracle.ts';

/** A record with the names in it expanded. */
export function showRecord(
  octets: Uint8Array,
  { owner, type, class: classNumber, ttl, dataAt, end, data }: RecordRead,
): string {
  const parts: (number | readonly number[])[] = [type, classNumber, ttl];
  let at = namesIn(type) === 0 ? -1 : firstNameIn(octets, type, dataAt, end);
  if (at === -1) return [owner, ...parts, data].join();
  parts.push([...octets.subarray(dataAt, at)]);
  for (let i = namesIn(type); i > 0; i--) {
    const name = expectedName(octets, at);
    const after = expectedNameEnd(octets, at);
    if (name === undefined || after > end) return [owner, ...parts, data, 'malformed'].join();
    parts.push(name);
    at = after;
  }
  return [owner, ...parts, ...octets.subarray(at, end)].join();
}
