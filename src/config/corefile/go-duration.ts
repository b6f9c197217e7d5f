import { Refusal } from '../refusal.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a duration as Go writes it: `1h30m`, `1.5s`, `.5s`, `-2s`, `0`. Throws `Refusal`. */
export function parseGoDuration(text: string): number {
  const [, sign, rest] = /^([+-]?)(.*)$/s.exec(text)!;
  if (rest === '0') return 0;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest!)) {
    throw new Refusal(`${JSON.stringify(text)} is no duration; expected such as 10s, 500ms or 1h30m`);
  }
  let ms = 0;
  for (const [, count, unit] of rest!.matchAll(/([\d.]+)([a-zµμ]+)/g)) ms += Number(count) * UNITS_MS[unit!]!;
  return sign === '-' ? -ms : ms;
}

/** The same in words that the rest of the configuration reads: whole milliseconds, in the largest unit that divides them. */
export function durationText(ms: number): string {
  const whole = Math.round(ms);
  const [unit, size] = (
    [
      ['h', 3_600_000],
      ['m', 60_000],
      ['s', 1000],
    ] as const
  ).find(([, each]) => whole % each === 0) ?? ['ms', 1];
  return whole === 0 ? '0' : `${whole / size}${unit}`;
}
