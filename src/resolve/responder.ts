import type { Reply } from '../wire/reply.ts';
import type { Client } from './client.ts';

/** There is no answer, and none will come. */
export const DROPPED = 0;
/** `reply` is filled: send or copy it now. */
export const ANSWERED = 1;
/** `hold` was called; its sink gets the answer later. */
export const HELD = 2;

export interface Responder {
  /**
   * Answers a client's message in [start, end), whose bytes it changes in place; returns ANSWERED, HELD or DROPPED. `nowMs`: of the clock, read
   * once for all messages that came together.
   */
  respond(bytes: Uint8Array, start: number, end: number, nowMs: number, client: Client, reply: Reply): number;
}
