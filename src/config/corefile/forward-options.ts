import * as net from 'node:net';
import { isAbsolute, join } from 'node:path';
import { shown } from '../complaints.ts';
import type { Said } from '../settings.ts';
import { durationText, parseGoDuration } from './go-duration.ts';
import { type Note, noteAt } from './note.ts';
import { durationAt, integerAt, readAt, saidAt } from './said.ts';
import type { Token } from './token.ts';
import { CorefileRefusal, type TokenCursor } from './token-cursor.ts';
import { zonesOf } from './zone-key.ts';

/** What the block of one `forward` says. */
export class ForwardOptions {
  readonly except: string[] = [];
  isTcp = false;
  serverName: string | undefined;
  policy: Said | undefined;
  tryTimeout: Said | undefined;
  caFile: Said | undefined;
  source: Said | undefined;
}

type Reader = (cursor: TokenCursor, options: ForwardOptions, notes: Note[], root: string | undefined) => void;

/** Reads the option that the cursor is on. Throws `CorefileRefusal`. */
export function readForwardOption(
  cursor: TokenCursor,
  options: ForwardOptions,
  notes: Note[],
  root: string | undefined,
): void {
  const read = READERS.get(cursor.text);
  if (read === undefined)
    cursor.refuse(`forward has no option ${shown(cursor.text)}; it has ${[...READERS.keys()].join(', ')}`);
  read(cursor, options, notes, root);
}

const POOL =
  'connections to an upstream are pipelined, two of them in calm, and are closed and opened as they are needed';
const PROBES =
  'an upstream is down after 3 failures in a row, is then probed with growing pauses, and any reply brings it back';

const READERS = new Map<string, Reader>([
  ['except', (cursor, options) => options.except.push(...some(cursor).flatMap((token) => readAt(token, zonesOf)))],
  [
    'force_tcp',
    (cursor, options) => {
      none(cursor);
      options.isTcp = true;
    },
  ],
  ['prefer_udp', (cursor) => none(cursor)],
  ['policy', readPolicy],
  ['tls', readTls],
  [
    'tls_servername',
    (cursor, options) => {
      options.serverName = one(cursor).text;
    },
  ],
  [
    'read_timeout',
    (cursor, options, notes) => {
      options.tryTimeout = tryTimeoutAt(one(cursor), notes);
    },
  ],
  ['source_address', readSource],
  ['expire', passedOver('expire', durationOf, POOL)],
  ['max_age', passedOver('max_age', durationOf, POOL)],
  ['max_idle_conns', passedOver('max_idle_conns', numberOf, POOL)],
  [
    'max_connect_attempts',
    passedOver('max_connect_attempts', numberOf, 'tries end with the time that a query has, 5 s in all'),
  ],
  [
    'max_concurrent',
    passedOver(
      'max_concurrent',
      numberOf,
      'queries in flight are bounded already (signpost_limit{limit="in_flight"}), and a full agent answers from what is stale',
    ),
  ],
  ['max_fails', passedOver('max_fails', numberOf, PROBES)],
  ['health_check', readHealthCheck],
  [
    'failfast_all_unhealthy_upstreams',
    passedOver(
      'failfast_all_unhealthy_upstreams',
      none,
      'while all upstreams are down, one query a second tries each and all others are answered at once, from what is stale or with SERVFAIL',
    ),
  ],
  ['failover', readFailover],
  ['next', readNext],
  [
    'next_on_nodata',
    (cursor, _options, notes) => {
      notes.push(
        noteAt(
          cursor.token,
          'forward next_on_nodata',
          'is left out: an answer without records is an answer, and no other upstream is asked',
          true,
        ),
      );
      none(cursor);
    },
  ],
  ['doh_method', passedOver('doh_method', one, 'questions are posted')],
  [
    'resolver',
    (cursor, _options, notes) => {
      notes.push(
        noteAt(
          cursor.token,
          'forward resolver',
          'is left out: upstreams are given by address, so nothing has to be looked up',
          false,
        ),
      );
      some(cursor);
    },
  ],
]);

/** The least and the most that the settings allow. */
const TRY_MIN_MS = 50;
/** A query ends after 5 s in all, so a longer try is none. */
const TRY_MAX_MS = 5000;

function tryTimeoutAt(at: Token, notes: Note[]): Said {
  const name = 'forward read_timeout';
  const said = durationAt(at, name, { minMs: Number.MIN_VALUE, maxMs: TRY_MAX_MS, notes });
  if (readAt(at, parseGoDuration) >= TRY_MIN_MS) return said;
  notes.push(noteAt(at, name, `${at.text} becomes ${durationText(TRY_MIN_MS)}, the least that may be set`, false));
  return { ...said, text: durationText(TRY_MIN_MS) };
}

function readPolicy(cursor: TokenCursor, options: ForwardOptions): void {
  const token = one(cursor);
  if (!['random', 'round_robin', 'sequential'].includes(token.text)) {
    throw new CorefileRefusal(token, `policy ${shown(token.text)}: expected random, round_robin or sequential`);
  }
  options.policy = saidAt(token, 'forward policy', token.text.replace('_', '-'));
}

/** Nothing; CA; CERT and KEY; or CERT, KEY and CA. */
function readTls(cursor: TokenCursor, options: ForwardOptions, notes: Note[], root: string | undefined): void {
  const at = cursor.token;
  const files = cursor.remainingArgs();
  if (files.length > 3) throw new CorefileRefusal(files[3]!, 'tls takes at most CERT KEY CA');
  const ca = files.length % 2 === 1 ? files.at(-1) : undefined;
  if (files.length >= 2) {
    notes.push(
      noteAt(
        at,
        'forward tls',
        'leaves out the client certificate and its key: the agent shows none to an upstream',
        true,
      ),
    );
  }
  if (ca !== undefined) {
    const path = isAbsolute(ca.text) || root === undefined ? ca.text : join(root, ca.text);
    options.caFile = saidAt(ca, 'forward tls', path);
  }
}

function readSource(cursor: TokenCursor, options: ForwardOptions): void {
  const token = one(cursor);
  if (net.isIP(token.text) === 0)
    throw new CorefileRefusal(token, `source_address ${shown(token.text)}: expected an IP address`);
  options.source = saidAt(token, 'forward source_address', token.text);
}

function readHealthCheck(cursor: TokenCursor, _options: ForwardOptions, notes: Note[]): void {
  const at = cursor.token;
  durationAt(one(cursor), 'forward health_check');
  while (cursor.nextArg()) {
    if (cursor.text === 'domain') one(cursor);
    else if (cursor.text !== 'no_rec') cursor.refuse(`health_check has no option ${shown(cursor.text)}`);
  }
  notes.push(noteAt(at, 'forward health_check', `is left out: ${PROBES}`, false));
}

/** The codes after which another upstream is asked here as well. */
const FAILURES: readonly string[] = ['SERVFAIL', 'REFUSED', 'NOTIMP'];

function readFailover(cursor: TokenCursor, _options: ForwardOptions, notes: Note[]): void {
  const at = cursor.token;
  const others = some(cursor).filter(({ text }) => !FAILURES.includes(text.toUpperCase()));
  const names = others.map(({ text }) => text).join(', ');
  const text =
    others.length === 0
      ? 'is built in: after SERVFAIL, REFUSED and NOTIMP the next upstream is asked'
      : `is built in for ${FAILURES.join(', ')}; after ${names} no other upstream is asked`;
  notes.push(noteAt(at, 'forward failover', text, others.length > 0));
}

function readNext(cursor: TokenCursor, _options: ForwardOptions, notes: Note[]): void {
  const codes = some(cursor).map(({ text }) => text);
  const text = `is left out: after ${codes.join(', ')} no other forward is asked; give all upstreams in one, and SERVFAIL, REFUSED and NOTIMP go on to the next`;
  notes.push(noteAt(cursor.token, 'forward next', text, true));
}

/** An option that is read as CoreDNS reads it, and has no effect. */
function passedOver(name: string, read: (cursor: TokenCursor) => void, why: string): Reader {
  return (cursor, _options, notes) => {
    notes.push(noteAt(cursor.token, `forward ${name}`, `is left out: ${why}`, false));
    read(cursor);
  };
}

function durationOf(cursor: TokenCursor): void {
  durationAt(one(cursor), 'forward');
}

function numberOf(cursor: TokenCursor): void {
  integerAt(one(cursor), 0);
}

function none(cursor: TokenCursor): void {
  const { text } = cursor;
  if (cursor.nextArg()) cursor.refuse(`${text} takes no argument`);
}

function one(cursor: TokenCursor): Token {
  const { text } = cursor;
  if (!cursor.nextArg()) cursor.refuse(`${text} needs an argument`);
  return cursor.token;
}

function some(cursor: TokenCursor): Token[] {
  const { text } = cursor;
  const args = cursor.remainingArgs();
  if (args.length === 0) cursor.refuse(`${text} needs an argument`);
  return args;
}
