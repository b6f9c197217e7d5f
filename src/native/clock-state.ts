import { foreign } from './foreign.ts';
import { STA_UNSYNC, TIME_ERROR, TIMEX_BYTES, TIMEX_MAX_ERROR, TIMEX_STATUS } from './struct-layout.ts';

export interface ClockState {
  /** Some program keeps the clock by a time server, and has told the kernel. */
  readonly isSynchronised: boolean;
  /** The kernel's own bound of how wrong it is; grows while nobody corrects it, up to 16 s. */
  readonly maxErrorMs: number;
}

/** What the kernel knows of its wall clock; changes nothing. Rejects where it may not be asked. */
export async function readClockState(): Promise<ClockState> {
  const koffi = await foreign();
  const adjtimex = koffi.load(null).func('int adjtimex(void*)');
  // All modes are 0: only read.
  const timex = Buffer.alloc(TIMEX_BYTES);
  const state = adjtimex(timex) as number;
  if (state < 0) throw new Error('adjtimex is refused');
  const isSynchronised = state !== TIME_ERROR && (timex.readInt32LE(TIMEX_STATUS) & STA_UNSYNC) === 0;
  return { isSynchronised, maxErrorMs: Number(timex.readBigInt64LE(TIMEX_MAX_ERROR)) / 1000 };
}
