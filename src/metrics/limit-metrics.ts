import { LIMITS } from '../core/limits.ts';
import type { Register } from './register.ts';

/** Every bound of `core/limits.ts` and how often it was hit; zero included, so that an alert has a series to stand on. */
export function registerLimitMetrics(register: Register): void {
  register.gauge('signpost_limit', 'The bounds of this process, by name.', ['limit'], (emit) => {
    for (const { name, value } of LIMITS) emit({ limit: name }, value);
  });
  register.counter('signpost_limit_hits_total', 'How often a bound was hit.', ['limit'], (emit) => {
    for (const { name, hits } of LIMITS) emit({ limit: name }, hits);
  });
}
