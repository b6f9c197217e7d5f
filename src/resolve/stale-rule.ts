import { type EntryMemory, KIND_POSITIVE } from '../cache/entry-memory.ts';
import { cannotExist } from '../search/cluster-names.ts';
import { HEADER_LENGTH, RCODE_NXDOMAIN } from '../wire/constants.ts';
import type { QueryView } from '../wire/query.ts';
import type { Zone } from './zone.ts';

/**
 * Whether the expired entry at `at` may stand in for a fresh answer (RFC 8767). A negative one may not, but where the name's shape proves that it
 * cannot exist while the whole cluster DNS is down: a SERVFAIL there ends musl's search, and outside names that are cached would fail with it. One that is known to be out of date is
 * no answer for who merely waits, and better than none where asking has failed.
 */
export function mayServeStale(memory: EntryMemory, at: number, query: QueryView, zone: Zone): boolean {
  if (memory.kind(at) === KIND_POSITIVE) return !memory.isOutdated(at) || zone.forwarder!.isAllDown;
  return (
    zone.isCluster &&
    memory.rcode(at) === RCODE_NXDOMAIN &&
    zone.forwarder!.isAllDown &&
    cannotExist(query.bytes, query.start + HEADER_LENGTH, query.nameEnd, zone.labels)
  );
}
