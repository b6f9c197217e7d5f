import { Refusal } from './refusal.ts';

const UNITS: Record<string, number> = {
  '': 1,
  B: 1,
  kB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  Ki: 1024,
  KiB: 1024,
  Mi: 1024 ** 2,
  MiB: 1024 ** 2,
  Gi: 1024 ** 3,
  GiB: 1024 ** 3,
};

/** Reads `32MiB`, `64Mi` (as Kubernetes writes it), `32MB` or plain bytes into bytes between `min` and `max`. Throws `Refusal`. */
export function parseByteSize(text: string, min: number, max: number): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const size = Math.floor(Number(count) * (UNITS[unit ?? '?'] ?? Number.NaN));
  if (!(size >= min && size <= max)) {
    throw new Refusal(`expected a size from ${formatByteSize(min)} to ${formatByteSize(max)}, such as 32MiB`);
  }
  return size;
}

/** The largest binary unit that divides it: `32MiB`, `1500B`. */
export function formatByteSize(bytes: number): string {
  const unit = ['GiB', 'MiB', 'KiB'].find((name) => bytes > 0 && bytes % UNITS[name]! === 0) ?? 'B';
  return `${bytes / UNITS[unit]!}${unit}`;
}
