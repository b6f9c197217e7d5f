import * as net from 'node:net';
import { shown } from '../complaints.ts';
import { nearestWord } from '../nearest-word.ts';
import type { Said } from '../settings.ts';
import type { ReadContext } from './block-draft.ts';
import { noteAt } from './note.ts';
import { readCache } from './read-cache.ts';
import { readForward } from './read-forward.ts';
import { readHosts } from './read-hosts.ts';
import { readRewrite } from './read-rewrite.ts';
import { readTemplate } from './read-template.ts';
import { durationAt, readAt, saidAt } from './said.ts';
import type { Token } from './token.ts';
import { CorefileRefusal, TokenCursor } from './token-cursor.ts';
import { WITHOUT_EQUAL } from './without-equal.ts';
import { zonesOf } from './zone-key.ts';

/** The most that the settings allow. */
const LAMEDUCK_MS = 3_600_000;

type Reader = (cursor: TokenCursor, context: ReadContext) => void;

/** Directives that the settings have words for. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['bind', readBind],
  ['cache', readCache],
  ['debug', readDebug],
  ['forward', readForward],
  ['health', readHealth],
  ['hosts', readHosts],
  ['kubernetes', readKubernetes],
  ['log', readLog],
  ['prometheus', readPrometheus],
  ['ready', readReady],
  // Read before the others, whose paths begin there.
  ['root', () => undefined],
  ['rewrite', readRewrite],
  ['template', readTemplate],
]);

/** Reads one directive of a block, with all that is said of it in the block. Throws `CorefileRefusal`. */
export function readDirective(name: string, tokens: readonly Token[], context: ReadContext): void {
  const at = tokens[0]!;
  const read = READERS.get(name);
  if (read !== undefined) {
    read(new TokenCursor(tokens, at.file), context);
    return;
  }
  const known = WITHOUT_EQUAL.get(name);
  const near = known === undefined ? nearestWord(name, [...READERS.keys(), ...WITHOUT_EQUAL.keys()]) : undefined;
  if (name === '' || near !== undefined) {
    throw new CorefileRefusal(
      at,
      near === undefined ? 'expected a directive' : `there is no such directive; did you mean ${near}?`,
    );
  }
  const { why, matters } = known ?? { why: 'is left out: the agent does not know it', matters: true };
  context.notes.push(noteAt(at, name, why, matters));
}

function readBind(cursor: TokenCursor, { block, notes }: ReadContext): void {
  while (cursor.next()) {
    const args = cursor.remainingArgs();
    if (args.length === 0) cursor.refuse('expected an address');
    for (const token of args) {
      if (net.isIP(token.text) !== 0) block.listenHosts.push(saidAt(token, 'bind', token.text));
      else {
        const text = `${shown(token.text)} is left out: an interface may have any address; name those that are meant with --listen`;
        notes.push(noteAt(token, 'bind', text, true));
      }
    }
    while (cursor.nextInBlock()) {
      if (cursor.text !== 'except') cursor.refuse(`bind has no option ${shown(cursor.text)}`);
      const except = new Set(cursor.remainingArgs().map(({ text }) => text));
      const kept = block.listenHosts.filter(({ text }) => !except.has(text));
      block.listenHosts.splice(0, block.listenHosts.length, ...kept);
    }
  }
}

/** [ADDRESS] { lameduck DURATION } */
function readHealth(cursor: TokenCursor, { block, notes }: ReadContext): void {
  while (cursor.next()) {
    block.health.push(httpAddress(cursor, 'health', ':8080'));
    while (cursor.nextInBlock()) {
      if (cursor.text !== 'lameduck') cursor.refuse(`health has no option ${shown(cursor.text)}`);
      if (!cursor.nextArg()) cursor.refuse('lameduck needs a duration');
      block.lameduck = durationAt(cursor.token, 'health lameduck', { maxMs: LAMEDUCK_MS, notes });
      if (cursor.nextArg()) cursor.refuse('lameduck takes one duration');
    }
  }
}

function readReady(cursor: TokenCursor, { block, notes }: ReadContext): void {
  cursor.next();
  block.health.push(httpAddress(cursor, 'ready', ':8181'));
  while (cursor.nextInBlock()) {
    const [kind] = cursor.remainingArgs();
    if (kind?.text !== 'until-ready' && kind?.text !== 'continuously')
      cursor.refuse('expected until-ready or continuously');
    const text = 'is left out: once ready, the agent stays so while it listens, for stale answers are better than none';
    notes.push(noteAt(cursor.token, 'ready monitor', text, false));
  }
  if (cursor.next()) cursor.refuse('a block has one ready');
}

function readPrometheus(cursor: TokenCursor, { block }: ReadContext): void {
  cursor.next();
  block.metrics = httpAddress(cursor, 'prometheus', 'localhost:9153');
  while (cursor.nextInBlock()) cursor.remainingArgs();
  if (cursor.next()) cursor.refuse('a block has one prometheus');
}

/** `HOST:PORT`; without a host, all addresses of the node. */
function httpAddress(cursor: TokenCursor, name: string, otherwise: string): Said {
  const at = cursor.token;
  const [address, more] = cursor.remainingArgs();
  if (more !== undefined) throw new CorefileRefusal(more, `${name} takes one address`);
  const [, host, port] = /^(.*):([^:\]]*)$/s.exec(address?.text ?? otherwise) ?? [];
  if (host === undefined)
    throw new CorefileRefusal(address!, `${shown(address!.text)}: expected HOST:PORT, such as 127.0.0.1:9253`);
  const literal = host === 'localhost' ? '127.0.0.1' : host;
  return saidAt(address ?? at, name, `${literal}:${port}`);
}

function readKubernetes(cursor: TokenCursor, { block, notes }: ReadContext): void {
  cursor.next();
  const at = cursor.token;
  const zones = cursor.remainingArgs().flatMap((token) => readAt(token, zonesOf));
  block.clusterZones.push({ zones: zones.length === 0 ? undefined : zones, said: saidAt(at, 'kubernetes', '') });
  const text = 'is left to the cluster DNS: these zones are asked there, for the agent is a cache in front of it';
  notes.push(noteAt(at, 'kubernetes', text, true));
}

function readDebug(cursor: TokenCursor, { block }: ReadContext): void {
  cursor.next();
  block.logLevel = saidAt(cursor.token, 'debug', 'debug');
}

/** [NAME...] [FORMAT] { class CLASS... } */
function readLog(cursor: TokenCursor, { block, notes }: ReadContext): void {
  while (cursor.next()) {
    const at = cursor.token;
    const args = cursor.remainingArgs();
    const classes: string[] = [];
    while (cursor.nextInBlock()) {
      if (cursor.text !== 'class') cursor.refuse(`log has no option ${shown(cursor.text)}`);
      classes.push(...cursor.remainingArgs().map(({ text }) => text));
    }
    if (classes.some((each) => each !== 'all')) {
      const text = `is left out: queries are logged whatever the answer is, one in so many (--log-sample), not those of class ${classes.join(', ')} alone`;
      notes.push(noteAt(at, 'log', text, false));
      continue;
    }
    block.logSample = saidAt(at, 'log', '1');
    if (args.some(({ text }) => text !== '.')) {
      notes.push(noteAt(at, 'log', 'logs all queries of the block, in the form of the agent', false));
    }
  }
}
