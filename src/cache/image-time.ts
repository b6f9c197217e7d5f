import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { SignpostError } from '../core/errors.ts';

/** When an image was made, in times that outlive the process. */
export interface ImageTime {
  /** Tells boots of the machine apart; empty: not known. */
  readonly bootId: string;
  /** Since the boot, time asleep counted (CLOCK_BOOTTIME): nobody sets it. */
  readonly bootMs: number;
  /** The wall clock, which may be set at any time. */
  readonly wallMs: number;
}

/** /proc/uptime has hundredths of a second, cut off. */
const COARSE_MS = 10;

export function imageTimeNow(): ImageTime {
  return { bootId: bootId(), bootMs: uptime() * 1000, wallMs: Date.now() };
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

/**
 * How long ago `then` was, rather too long than too short: no life gets longer by it. In one boot the wall clock is not asked. Over a boot it is all there is: one that leapt ahead
 * ends lives early, and one that is behind what must have passed since (the machine has been up so long) is not believed.
 * Throws ERR_IMAGE_AGE where nothing can be said.
 */
export function ageMs(then: ImageTime, now: ImageTime): number {
  const isSameBoot = then.bootId !== '' && then.bootId === now.bootId;
  if (isSameBoot) {
    if (now.bootMs < then.bootMs) throw tooYoung();
    return now.bootMs - then.bootMs + COARSE_MS;
  }
  const wallMs = now.wallMs - then.wallMs;
  if (wallMs < now.bootMs) throw tooYoung();
  return wallMs;
}

function tooYoung(): SignpostError {
  return new SignpostError(
    'ERR_IMAGE_AGE',
    'The cache image is from after now: the clock went back, so its age is not known',
  );
}
