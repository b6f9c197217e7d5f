import type { Finding } from '../node-network/rule-kind.ts';

/**
 * `error`: pods' look-ups fail, or will with the next fault. `warning`: works, but somebody should look at it. `note`: could not be seen, or is good to know. `ok`: as it
 * should be.
 */
export type Level = 'ok' | 'note' | 'warning' | 'error';

/** What a check found, with what a person may do about it. */
export interface Diagnosis extends Finding {
  readonly level: Level;
}

export function ok(code: string, message: string): Diagnosis {
  return { level: 'ok', code, message };
}

export function note(code: string, message: string, remedy?: string): Diagnosis {
  return withRemedy('note', code, message, remedy);
}

export function warning(code: string, message: string, remedy?: string): Diagnosis {
  return withRemedy('warning', code, message, remedy);
}

export function error(code: string, message: string, remedy?: string): Diagnosis {
  return withRemedy('error', code, message, remedy);
}

function withRemedy(level: Level, code: string, message: string, remedy: string | undefined): Diagnosis {
  return { level, code, message, ...(remedy !== undefined && { remedy }) };
}
