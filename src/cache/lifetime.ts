import type { CachePolicy } from '../config/config.ts';
import { RCODE_NOERROR, RCODE_NXDOMAIN } from '../wire/constants.ts';
import type { MessageScan } from '../wire/message-scan.ts';
import { KIND_FAILURE, KIND_NEGATIVE, KIND_POSITIVE } from './entry-memory.ts';

/** Server failures are remembered so long (RFC 9520, section 3.2, has 1 s as the least). */
export const FAILURE_SECONDS = 1;

/** What an upstream's reply is worth: its kind, and for how many seconds it may be kept (0: only for those who wait for it). */
export class Lifetime {
  kind = KIND_FAILURE;
  seconds = 0;

  /** Judges the reply that `scan` has read, by the policy of its zone. */
  judge(scan: MessageScan, policy: CachePolicy, isTruncated: boolean): void {
    if (scan.rcode !== RCODE_NOERROR && scan.rcode !== RCODE_NXDOMAIN) {
      this.kind = KIND_FAILURE;
      this.seconds = isTruncated || !isFailureKept(scan.rcode) ? 0 : FAILURE_SECONDS;
      return;
    }
    // A SOA record beside an answer without what was asked says "no" of what the CNAME chain leads to (RFC 2308, section 2).
    const isNegative = scan.rcode === RCODE_NXDOMAIN || scan.answers === 0 || (scan.hasSoa && !scan.hasAsked);
    this.kind = isNegative ? KIND_NEGATIVE : KIND_POSITIVE;
    if (isTruncated) this.seconds = 0;
    else if (isNegative) this.seconds = negativeSeconds(scan, policy);
    else this.seconds = positiveSeconds(scan, policy);
  }
}

function positiveSeconds(scan: MessageScan, policy: CachePolicy): number {
  // TTL 0 asks not to be kept at all; a zone's own minimum does not overrule it.
  if (scan.minimumTtl === 0) return 0;
  return Math.max(policy.positiveMinSeconds, Math.min(scan.minimumTtl, policy.positiveMaxSeconds));
}

/** RFC 2308, section 5: the lesser of the SOA's TTL and its MINIMUM; nothing without a SOA. */
function negativeSeconds(scan: MessageScan, policy: CachePolicy): number {
  if (!scan.hasSoa) return 0;
  const seconds = Math.min(scan.minimumTtl, scan.soaTtl, scan.soaMinimum);
  return Math.max(policy.negativeMinSeconds, Math.min(seconds, policy.negativeMaxSeconds));
}

const RCODE_FORMERR = 1;
/** FORMERR speaks of one client's message, not of the name. */
function isFailureKept(rcode: number): boolean {
  return rcode !== RCODE_FORMERR;
}
