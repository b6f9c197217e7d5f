import { setTtls } from '../wire/ttl.ts';
import { type EntryMemory, STATE_KEPT } from './entry-memory.ts';

/** The entry at `at` lives for `ms` at most, and is asked for ahead in the second half of that where it is popular. What is kept as the last good answer has a life of its own. */
export function endWithin(memory: EntryMemory, at: number, ms: number, nowMs: number): void {
  if (memory.freshUntilMs(at) <= nowMs + ms || memory.has(at, STATE_KEPT)) return;
  memory.setFreshUntilMs(at, nowMs + ms);
  if (memory.refreshAtMs(at) > nowMs + ms / 2) memory.setRefreshAtMs(at, nowMs + ms / 2);
}

/** The entry at `at` lives until `untilMs`, and tells clients `seconds` in all of its records. */
export function liveUntil(memory: EntryMemory, at: number, untilMs: number, seconds: number): void {
  setTtls(memory.bytes, memory.bodyStart(at), memory.u16, memory.ttlIndex(at), memory.ttlCount(at), seconds);
  memory.setTtlSeconds(at, seconds);
  memory.setFreshUntilMs(at, untilMs);
}
