/** What one figure found: samples of every server, and what they come to. Arithmetic only. */

export const OURS = 'signpost';

export interface Measure {
  readonly name: string;
  readonly unit: string;
  /** By server, in the order of the table; ours first. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
  readonly goals: readonly Goal[];
  /** By server, where a rate was measured: who was busy meanwhile. */
  readonly busy?: Readonly<Record<string, Busy>>;
}

/** In per cent of one core. A server that is not near 100 was not the limit. */
export interface Busy {
  /** The process, and all of the core that it runs on: more than the process uses is somebody else's. */
  readonly server: readonly number[];
  readonly serverCore: readonly number[];
  readonly generator: readonly number[];
  readonly upstream: readonly number[];
  /** The core of the generator or that of the upstream, whichever was busier. */
  readonly otherCore: readonly number[];
}

/** Ours against a peer's median (a ratio), or against a number in the measure's own unit. */
export interface Goal {
  readonly against: string | undefined;
  readonly bound: 'at least' | 'at most';
  readonly value: number;
  /** What must be reached in any case. */
  readonly floor?: Floor;
}

/** Of the goal's peer too, or in the measure's own unit. */
export type Floor = { readonly value: number } | { readonly valueInUnit: number };

export type Verdict = 'goal met' | 'floor met' | 'MISSED' | 'not measured';

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

/** Our median divided by the peer's, 1 where they are the same (both may be 0); undefined where one is missing. */
export function ratio(measure: Measure, peer: string): number | undefined {
  const ours = measure.samples[OURS];
  const theirs = measure.samples[peer];
  if (ours === undefined || theirs === undefined) return undefined;
  return median(ours) === median(theirs) ? 1 : median(ours) / median(theirs);
}

export function judge(measure: Measure, goal: Goal): Verdict {
  const ours = measure.samples[OURS];
  const own = ours === undefined ? Number.NaN : median(ours);
  const found = goal.against === undefined ? own : (ratio(measure, goal.against) ?? Number.NaN);
  const reaches = (value: number, wanted: number) => (goal.bound === 'at least' ? value >= wanted : value <= wanted);
  const { floor } = goal;
  if (Number.isNaN(found)) return 'not measured';
  if (reaches(found, goal.value)) return 'goal met';
  if (floor === undefined) return 'MISSED';
  const isFloorMet = 'value' in floor ? reaches(found, floor.value) : reaches(own, floor.valueInUnit);
  return isFloorMet ? 'floor met' : 'MISSED';
}

/** As `at least 0.9 (0.75) of udp-limit`, the floor in brackets. */
export function describeGoal(unit: string, goal: Goal): string {
  const floor =
    goal.floor === undefined
      ? ''
      : ` (${'value' in goal.floor ? goal.floor.value : `${goal.floor.valueInUnit} ${unit}`})`;
  return `${goal.bound} ${goal.value}${floor} ${goal.against === undefined ? unit : `of ${goal.against}`}`;
}
