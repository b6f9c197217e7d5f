import { Refusal } from './refusal.ts';

const UNITS_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Reads `250ms`, `1.5s`, `5m`, `1h30m` or `0` into whole milliseconds between `minMs` and `maxMs`. Throws `Refusal`. */
export function parseDuration(text: string, minMs: number, maxMs: number): number {
  const allowed = `expected a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}, such as 250ms, 5s or 1h`;
  if (text !== '0' && !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) throw new Refusal(allowed);
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g)) ms += Number(count) * UNITS_MS[unit!]!;
  ms = Math.round(ms);
  if (ms < minMs || ms > maxMs) throw new Refusal(allowed);
  return ms;
}

/** The shortest form that says the same: `1h`, `90s`, `250ms`, `0`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  const unit = ['h', 'm', 's'].find((name) => ms % UNITS_MS[name]! === 0) ?? 'ms';
  return `${ms / UNITS_MS[unit]!}${unit}`;
}
