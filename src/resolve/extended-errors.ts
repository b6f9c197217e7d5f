import type { Failure } from '../upstream/ask.ts';
import { EDE_BLOCKED, EDE_NETWORK_ERROR, EDE_NO_REACHABLE_AUTHORITY, EDE_STALE_ANSWER } from '../wire/constants.ts';
import { edeOption } from '../wire/edns.ts';

/** Extended errors that we say in our own name (RFC 8914), as whole options. */
export const NO_UPSTREAM = edeOption(EDE_NO_REACHABLE_AUTHORITY, 'no upstream answers');
/** Said to names of a refuse list. */
export const BLOCKED = edeOption(EDE_BLOCKED, 'refused by configuration');
/** Said with a last good answer that is kept. */
export const LAST_GOOD = edeOption(EDE_STALE_ANSWER, 'last good answer; the upstream now has none');
export const OVERLOADED = edeOption(0, 'too many questions in flight');
export const LOOPED = edeOption(EDE_NO_REACHABLE_AUTHORITY, 'every upstream leads back to this agent');
export const TIMED_OUT = edeOption(EDE_NO_REACHABLE_AUTHORITY, 'no upstream answered in time');
const MALFORMED = edeOption(EDE_NETWORK_ERROR, 'malformed reply');

/** What came of a question that was sent: a failure of the forwarder's, or a reply that could not be read. */
export type Trouble = Failure | 'malformed';

export function extendedError(trouble: Trouble): Uint8Array {
  switch (trouble) {
    case 'timeout':
      return TIMED_OUT;
    case 'malformed':
      return MALFORMED;
    case 'overload':
      return OVERLOADED;
    case 'looped':
      return LOOPED;
    case 'unreachable':
    case 'all-down':
      return NO_UPSTREAM;
  }
}
