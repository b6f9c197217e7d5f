/** What one figure found: samples of every server, and what they come to. Arithmetic only. */

export const OURS = 'signpost';

export interface Measure {
  readonly name: string;
  readonly unit: string;
  /** By server, in the order of the table; ours first. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
  readonly goals: readonly Goal[];
}

/** Ours against a peer's median (a ratio), or against a number in the measure's own unit. */
export interface Goal {
  readonly against: string | undefined;
  readonly bound: 'at least' | 'at most';
  readonly value: number;
}

export interface Verdict {
  readonly text: string;
  /** undefined: the peer or our own samples are missing. */
  readonly isMet: boolean | undefined;
}

/** The middle one; NaN of none. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How far the extremes lie apart, as a fraction of the median; 0 of a single sample. */
export function spread(samples: readonly number[]): number {
  const range = Math.max(...samples) - Math.min(...samples);
  return range === 0 ? 0 : range / median(samples);
}

/** Our median divided by the peer's; undefined where one is missing. */
export function ratio(measure: Measure, peer: string): number | undefined {
  const ours = measure.samples[OURS];
  const theirs = measure.samples[peer];
  if (ours === undefined || theirs === undefined) return undefined;
  return median(ours) / median(theirs);
}

export function judge(measure: Measure, goal: Goal): Verdict {
  const ours = measure.samples[OURS];
  const found = goal.against === undefined ? ours && median(ours) : ratio(measure, goal.against);
  const unit = goal.against === undefined ? ` ${measure.unit}` : ` of ${goal.against}`;
  const text = `${goal.bound} ${goal.value}${unit}`;
  if (found === undefined || Number.isNaN(found)) return { text, isMet: undefined };
  return { text, isMet: goal.bound === 'at least' ? found >= goal.value : found <= goal.value };
}
