/**
 * Every bound of the agent, with the sum that it rests on. What is full is counted, and answered as its line says: nothing grows past it.
 */

/** A bound and how often it was hit; `hits` is read by the metric `signpost_limit_hits_total{limit="name"}`. */
export interface Limit {
  readonly name: string;
  readonly value: number;
  hits: number;
}

const all: Limit[] = [];

/** All limits, for the metrics. */
export const LIMITS: readonly Limit[] = all;

function limit(name: string, value: number): Limit {
  const made = { name, value, hits: 0 };
  all.push(made);
  return made;
}

/** Distinct questions in flight. 4,096 x (about 1 KiB of question, bookkeeping and timer) = 4 MiB. Full: stale answer, else SERVFAIL. */
export const IN_FLIGHT = limit('in_flight', 4096);

/** Clients that wait for answers, all questions together. 16,384 x (about 400 B of query and sink) = 6.5 MiB. Full: stale answer, else SERVFAIL. */
export const WAITERS = limit('waiters', 16_384);

/** Refreshes in the background (prefetch and stale) at once: a quarter of what may be in flight, so that clients come first. Full: not refreshed. */
export const REFRESHES = limit('refreshes', 1024);

/** Zones that are counted by name. 1,024 x 4 listeners (2 addresses, UDP and TCP) x 1.2 KiB of cells = 4.8 MiB. Full: counted with those of no zone. */
export const ZONES = limit('zones', 1024);
