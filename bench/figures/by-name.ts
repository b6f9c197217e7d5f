import type { Figure, FigureName } from './figure.ts';
import { heap } from './heap.ts';
import { hits } from './hits.ts';
import { memory } from './memory.ts';
import { misses } from './misses.ts';
import { start } from './start.ts';

export const FIGURES: Readonly<Record<FigureName, Figure>> = { hits, misses, start, memory, heap };
