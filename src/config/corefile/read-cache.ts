import { shown } from '../complaints.ts';
import type { Said } from '../settings.ts';
import type { CacheDraft, ReadContext } from './block-draft.ts';
import { type Note, noteAt } from './note.ts';
import { durationAt, integerAt, readAt, saidAt, secondsAt, wholeSecondsAt } from './said.ts';
import type { Token } from './token.ts';
import { CorefileRefusal, type TokenCursor } from './token-cursor.ts';
import { zonesOf } from './zone-key.ts';

type Draft = { -readonly [Key in keyof CacheDraft]: CacheDraft[Key] };
type Reader = (cursor: TokenCursor, draft: Draft, notes: Note[]) => void;

/** How long answers go on while a fresh one is waited for, where the Corefile says not to wait at all. */
const IMMEDIATE = '100ms';

/** The most that the settings allow. */
const DAY_MS = 24 * 3_600_000;
const STALE_MS = 7 * DAY_MS;
const STALE_TTL_MS = 3_600_000;
const STALE_AFTER_MS = 10_000;
const PREFETCH_HITS = 1_000_000;

/** The `cache` of one block. Throws `CorefileRefusal`. */
export function readCache(cursor: TokenCursor, { block, notes }: ReadContext): void {
  for (let isFirst = true; cursor.next(); isFirst = false) {
    if (!isFirst) cursor.refuse('a block has one cache');
    const at = cursor.token;
    const args = cursor.remainingArgs();
    const hasTtl = args.length > 0 && /^[+-]?\d+$/.test(args[0]!.text);
    const ttl = hasTtl ? secondsAt(args[0]!, 'cache', 1, { maxMs: DAY_MS, notes }) : undefined;
    const zones = args.slice(hasTtl ? 1 : 0).flatMap((token) => readAt(token, zonesOf));
    const draft: Draft = {
      at,
      zones: zones.length === 0 ? undefined : zones,
      ...(ttl && { maxTtl: ttl, negativeMaxTtl: ttl }),
      notPositive: [],
      notNegative: [],
    };
    let stalePolicy: Token | undefined;
    while (cursor.nextInBlock()) {
      if (cursor.text === 'serve_stale_policy') stalePolicy = cursor.token;
      const read = READERS.get(cursor.text);
      if (read === undefined) {
        cursor.refuse(`cache has no option ${shown(cursor.text)}; it has ${[...READERS.keys()].join(', ')}`);
      }
      read(cursor, draft, notes);
    }
    if (stalePolicy !== undefined && draft.stale === undefined) {
      throw new CorefileRefusal(stalePolicy, 'serve_stale_policy needs serve_stale beside it');
    }
    block.caches.push(draft);
  }
}

const READERS = new Map<string, Reader>([
  [
    'success',
    (cursor, draft, notes) => {
      const { maxTtl, minTtl } = bounds(cursor, notes);
      if (maxTtl !== undefined) draft.maxTtl = maxTtl;
      if (minTtl !== undefined) draft.minTtl = minTtl;
    },
  ],
  [
    'denial',
    (cursor, draft, notes) => {
      const { maxTtl, minTtl } = bounds(cursor, notes);
      if (maxTtl !== undefined) draft.negativeMaxTtl = maxTtl;
      if (minTtl !== undefined) draft.negativeMinTtl = minTtl;
    },
  ],
  ['prefetch', readPrefetch],
  ['serve_stale', readServeStale],
  ['serve_stale_policy', readStalePolicy],
  ['servfail', readServfail],
  ['disable', readDisable],
  ['keepttl', readKeepTtl],
]);

/** CAPACITY [TTL] [MINTTL] */
function bounds(cursor: TokenCursor, notes: Note[]): { maxTtl?: Said; minTtl?: Said } {
  const name = `cache ${cursor.text}`;
  const at = cursor.token;
  const [capacity, ttl, minTtl] = cursor.remainingArgs();
  if (capacity === undefined) throw new CorefileRefusal(at, `${at.text} needs a capacity, such as ${at.text} 9984 30`);
  integerAt(capacity, -(2 ** 31));
  const text = `capacity ${capacity.text} is left out: all zones share one budget of bytes (--cache-size)`;
  notes.push(noteAt(capacity, name, text, false));
  return {
    ...(ttl && { maxTtl: secondsAt(ttl, name, 1, { maxMs: DAY_MS, notes }) }),
    ...(minTtl && { minTtl: secondsAt(minTtl, name, 0, { maxMs: DAY_MS, notes }) }),
  };
}

/** AMOUNT [DURATION] [PERCENTAGE%] */
function readPrefetch(cursor: TokenCursor, draft: Draft, notes: Note[]): void {
  const at = cursor.token;
  const [amount, duration, percentage, more] = cursor.remainingArgs();
  if (amount === undefined || more !== undefined) {
    throw new CorefileRefusal(more ?? at, 'expected prefetch AMOUNT [DURATION] [PERCENTAGE%]');
  }
  draft.prefetch = saidAt(amount, 'cache prefetch', String(Math.min(integerAt(amount, 0), PREFETCH_HITS)));
  if (duration === undefined) return;
  durationAt(duration, 'cache prefetch', { minMs: Number.NEGATIVE_INFINITY });
  if (percentage !== undefined) {
    const share = /^\d+%$/.test(percentage.text) ? Number.parseInt(percentage.text, 10) : Number.NaN;
    if (!(share >= 10 && share <= 90)) throw new CorefileRefusal(percentage, `${percentage.text}: expected 10% to 90%`);
  }
  const text =
    'counts hits in the life of an answer, which is refreshed when a tenth of its TTL is left: only the amount is taken over';
  notes.push(noteAt(duration, 'cache prefetch', text, false));
}

/** [DURATION] [immediate [TTL [RECHECK]] | verify [TIMEOUT [TTL [RECHECK]]]] */
function readServeStale(cursor: TokenCursor, draft: Draft, notes: Note[]): void {
  const at = cursor.token;
  const name = 'cache serve_stale';
  const [duration, mode, ...rest] = cursor.remainingArgs();
  draft.stale =
    duration === undefined ? saidAt(at, name, '1h') : wholeSecondsAt(duration, name, { maxMs: STALE_MS, notes });
  if (draft.stale.text === '0') draft.stale = { ...draft.stale, text: 'off' };
  if (mode === undefined || mode.text.toLowerCase() === 'immediate') {
    draft.staleAfter = saidAt(mode ?? at, name, IMMEDIATE);
    const text = `waits for a fresh answer, ${IMMEDIATE} at the most, so that a stale one is not given while the upstream is well`;
    notes.push(noteAt(mode ?? at, name, text, false));
  } else if (mode.text.toLowerCase() === 'verify') {
    const timeout = rest.shift();
    const after = timeout && durationAt(timeout, name, { maxMs: STALE_AFTER_MS, notes });
    // 0 waits for as long as upstreams are asked at all; what is usual here does as well for the client.
    if (after !== undefined && after.text !== '0') draft.staleAfter = after;
  } else {
    throw new CorefileRefusal(mode, `${shown(mode.text)}: expected immediate or verify`);
  }
  const [ttl, recheck, more] = rest;
  if (more !== undefined) throw new CorefileRefusal(more, 'serve_stale has too many arguments');
  if (ttl !== undefined) draft.staleTtl = wholeSecondsAt(ttl, name, { maxMs: STALE_TTL_MS, notes });
  if (recheck === undefined) return;
  durationAt(recheck, name);
  notes.push(noteAt(recheck, name, 'pauses for one second after a failed refresh', false));
}

function readStalePolicy(cursor: TokenCursor, _draft: Draft, notes: Note[]): void {
  const at = cursor.token;
  const [policy, more] = cursor.remainingArgs();
  if (policy?.text.toLowerCase() !== 'prefer_positive' || more !== undefined) {
    throw new CorefileRefusal(policy ?? at, 'expected serve_stale_policy prefer_positive');
  }
  notes.push(
    noteAt(
      at,
      'cache serve_stale_policy',
      'is built in: what says that a name is not there is not served stale',
      false,
    ),
  );
}

function readServfail(cursor: TokenCursor, _draft: Draft, notes: Note[]): void {
  const at = cursor.token;
  const [duration, more] = cursor.remainingArgs();
  if (duration === undefined || more !== undefined) throw new CorefileRefusal(more ?? at, 'expected servfail DURATION');
  durationAt(duration, 'cache servfail');
  const text = 'is left out: a failure is remembered for one second, and never hides an answer that is still of use';
  notes.push(noteAt(at, 'cache servfail', text, false));
}

/** success|denial [ZONE...] */
function readDisable(cursor: TokenCursor, draft: Draft): void {
  const at = cursor.token;
  const [kind, ...names] = cursor.remainingArgs();
  if (kind?.text !== 'success' && kind?.text !== 'denial') {
    throw new CorefileRefusal(kind ?? at, 'expected disable success or disable denial, and zones');
  }
  const zones = names.length === 0 ? ['.'] : names.flatMap((token) => readAt(token, zonesOf));
  if (kind.text === 'success') draft.notPositive = zones;
  else draft.notNegative = zones;
}

function readKeepTtl(cursor: TokenCursor, _draft: Draft, notes: Note[]): void {
  const text = 'is left out: TTLs count down, so that nobody keeps an answer for longer than its zone allows';
  notes.push(noteAt(cursor.token, 'cache keepttl', text, false));
  if (cursor.nextArg()) cursor.refuse('keepttl takes no argument');
}
