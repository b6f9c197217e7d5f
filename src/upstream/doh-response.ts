import { HEADER_LENGTH } from '../wire/constants.ts';
import type { ResponseHead } from '../wire/hpack.ts';
import { MessageScan } from '../wire/message-scan.ts';
import { subtractTtls } from '../wire/ttl.ts';

export const CONTENT_TYPE = 'application/dns-message';

/** Why what follows is not HTTP/2. */
export const PROTOCOL = 'HTTP/2 protocol';
/** Why a body is not an answer. */
const CONTENT = 'HTTP content';

/** How long a server is left alone that says 429 or 503: as it wishes, within these bounds. */
const PAUSE_USUAL_MS = 1000;
const PAUSE_MOST_MS = 60_000;

const scan = new MessageScan();

/** Why a response with that head can bring no answer, or undefined: it can. */
export function headFault({ status, contentType }: ResponseHead): string | undefined {
  if (status === 0) return PROTOCOL;
  if (status !== 200) return `HTTP ${status}`;
  return isDnsMessage(contentType) ? undefined : CONTENT;
}

/** The same for a body of `length` bytes, of which the head said that it has `told` (-1: nothing). */
export function bodyFault(length: number, told: number): string | undefined {
  return length < HEADER_LENGTH || (told >= 0 && told !== length) ? CONTENT : undefined;
}

/** Parameters may follow (RFC 9110, section 8.3.1). */
function isDnsMessage(contentType: string): boolean {
  return contentType === CONTENT_TYPE || contentType.toLowerCase().split(';', 1)[0]!.trim() === CONTENT_TYPE;
}

/** How long the server wants no questions, in milliseconds; 0: it did not say so. */
export function pauseMs({ status, retryAfter }: ResponseHead): number {
  if (status !== 429 && status !== 503) return 0;
  // Seconds or a date (RFC 9110, section 10.2.3).
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return ms > 0 ? Math.min(ms, PAUSE_MOST_MS) : PAUSE_USUAL_MS;
}

/** Counts the TTLs of the message down by the seconds that it lay in an HTTP cache (RFC 8484, section 5.1). */
export function subtractAge(bytes: Uint8Array, start: number, end: number, seconds: number): void {
  if (!scan.scan(bytes, start, end)) return;
  subtractTtls(bytes, scan.questionEnd, scan.ttlOffsets, 0, scan.ttlCount, seconds);
}
