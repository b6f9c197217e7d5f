import { CHECKS } from './check/all.ts';
import type { Check } from './check/check.ts';
import { type Diagnosis, type Level, note } from './diagnosis.ts';
import type { Patient } from './patient.ts';

/** One check may take so long: most wait for a server's answer, 2 s at most, some for a program. */
const CHECK_MS = 15_000;

export interface CheckReport {
  readonly check: string;
  readonly findings: readonly Diagnosis[];
}

/** All that was found, in the order of the checks. */
export interface Examination {
  /** No finding is an error. */
  readonly healthy: boolean;
  readonly counts: Readonly<Record<Level, number>>;
  readonly checks: readonly CheckReport[];
}

/** Makes all checks, side by side. One that fails or hangs says so, and the others go on. */
export async function examine(
  patient: Patient,
  checks: readonly Check[] = CHECKS,
  limitMs = CHECK_MS,
): Promise<Examination> {
  const reports = await Promise.all(
    checks.map(async (check) => ({ check: check.name, findings: await lookWithin(check, patient, limitMs) })),
  );
  const counts: Record<Level, number> = { ok: 0, note: 0, warning: 0, error: 0 };
  for (const { findings } of reports) for (const { level } of findings) counts[level]++;
  return { healthy: counts.error === 0, counts, checks: reports.filter(({ findings }) => findings.length > 0) };
}

async function lookWithin(check: Check, patient: Patient, limitMs: number): Promise<readonly Diagnosis[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([check.look(patient), late]);
  } catch (cause) {
    return [note(`${check.name}-unknown`, `could not be looked at: ${(cause as Error).message}`)];
  } finally {
    clearTimeout(timer);
  }
}
