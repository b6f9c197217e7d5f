import { OPTION_KEEPALIVE } from '../wire/constants.ts';
import { findOption } from '../wire/edns.ts';
import { MessageScan } from '../wire/message-scan.ts';

const scan = new MessageScan();

/**
 * How long the server of a reply keeps an idle connection (RFC 7828), in milliseconds; 0: close it now; -1: it does not say.
 * Walks the whole message: for the first reply of a connection only.
 */
export function idleTimeoutMs(message: Uint8Array, start: number, end: number): number {
  if (!scan.scan(message, start, end) || !scan.hasOpt) return -1;
  const option = findOption(message, scan.optionsStart, scan.optionsEnd, OPTION_KEEPALIVE);
  if (option < 0 || message[option + 3] !== 2) return -1;
  return ((message[option + 4]! << 8) | message[option + 5]!) * 100;
}
