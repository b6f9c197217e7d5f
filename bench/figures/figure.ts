import type { Bench } from '../bench.ts';
import type { Measure } from '../measure.ts';

/** In the order of the table. */
export const FIGURE_NAMES = [
  'hits',
  'runs',
  'misses',
  'encrypted',
  'mixed',
  'calm',
  'one',
  'tcp',
  'burst',
  'cold',
  'million',
  'start',
  'memory',
  'memory-100k',
  'heap',
  'zones',
  'reloads',
  'outage',
  'slow-upstream',
  'both-dead',
  'switch',
  'snapshot',
  'upgrades',
  'rest',
  'cluster',
  'watchers',
  'soak',
] as const;

/** Measured when named; all others also without a name. */
export const ON_REQUEST: readonly FigureName[] = [
  'soak',
  'switch',
  'snapshot',
  'upgrades',
  'rest',
  'cluster',
  'watchers',
];

export type FigureName = (typeof FIGURE_NAMES)[number];

/** One file each in this folder, listed in `by-name.ts`. */
export type Figure = (bench: Bench) => Promise<Measure[]>;
