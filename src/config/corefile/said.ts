import { Refusal } from '../refusal.ts';
import type { Said } from '../settings.ts';
import { durationText, parseGoDuration } from './go-duration.ts';
import { type Note, noteAt } from './note.ts';
import { placeOf, type Token } from './token.ts';
import { CorefileRefusal } from './token-cursor.ts';

/** `text` as a value of the settings that was written at `at`, below the name of a directive. */
export function saidAt(at: Token, name: string, text: string): Said {
  return { text, origin: { name, place: placeOf(at) } };
}

/** What `read` returns of a word; its `Refusal` gets the word's place. */
export function readAt<T>(at: Token, read: (text: string) => T): T {
  try {
    return read(at.text);
  } catch (error) {
    if (error instanceof Refusal && !(error instanceof CorefileRefusal)) throw new CorefileRefusal(at, error.message);
    throw error;
  }
}

/** Between which values the settings have it. What is above is cut to the most, with a note. */
export interface DurationBounds {
  readonly minMs?: number;
  readonly maxMs?: number;
  readonly notes?: Note[];
}

/** A duration in the settings' words. Throws `CorefileRefusal` where it is none, or below the least. */
export function durationAt(at: Token, name: string, bounds: DurationBounds = {}): Said {
  return within(at, name, readAt(at, parseGoDuration), bounds);
}

/** The same where the settings count in seconds: what is over is cut off, but not to nothing. */
export function wholeSecondsAt(at: Token, name: string, bounds: DurationBounds = {}): Said {
  const ms = readAt(at, parseGoDuration);
  return within(at, name, ms > 0 && ms < 1000 ? 1000 : Math.floor(ms / 1000) * 1000, bounds);
}

/** Whole seconds, as a duration in the settings' words. */
export function secondsAt(at: Token, name: string, min: number, bounds: DurationBounds = {}): Said {
  return within(at, name, integerAt(at, min) * 1000, bounds);
}

export function integerAt(at: Token, min: number, max = 2 ** 31 - 1): number {
  const value = /^[+-]?\d+$/.test(at.text) ? Number(at.text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new CorefileRefusal(at, `${at.text}: expected a whole number from ${min}`);
  return value;
}

function within(at: Token, name: string, ms: number, { minMs = 0, maxMs = Infinity, notes }: DurationBounds): Said {
  if (ms < minMs) throw new CorefileRefusal(at, `${at.text}: expected at least ${durationText(minMs)}`);
  if (ms <= maxMs) return saidAt(at, name, durationText(ms));
  notes?.push(noteAt(at, name, `${at.text} becomes ${durationText(maxMs)}, the most that may be set`, false));
  return saidAt(at, name, durationText(maxMs));
}
