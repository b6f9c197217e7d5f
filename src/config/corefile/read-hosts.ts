import { isAbsolute, join } from 'node:path';
import type { Said } from '../settings.ts';
import type { HostsDraft, ReadContext } from './block-draft.ts';
import { type Note, noteAt } from './note.ts';
import { durationAt, integerAt, readAt, saidAt } from './said.ts';
import type { Token } from './token.ts';
import { CorefileRefusal, type TokenCursor } from './token-cursor.ts';
import { zonesOf } from './zone-key.ts';

/** Which file `hosts` reads where it names none. */
const DEFAULT_FILE = '/etc/hosts';

/** The `hosts` of one block: `hosts [FILE [ZONE...]] { lines and options }`. Throws `CorefileRefusal`. */
export function readHosts(cursor: TokenCursor, { block, notes, root }: ReadContext): void {
  for (let isFirst = true; cursor.next(); isFirst = false) {
    if (!isFirst) cursor.refuse('a block has one hosts');
    const at = cursor.token;
    const [file, ...zones] = cursor.remainingArgs();
    const lines: Said[] = [];
    let isFallthrough = false;
    while (cursor.nextInBlock()) {
      if (cursor.text === 'fallthrough') isFallthrough = readFallthrough(cursor, notes);
      else if (!readOption(cursor, notes)) {
        if (isFallthrough) cursor.refuse(`${cursor.text}: lines stand before fallthrough`);
        const words = [cursor.token, ...cursor.remainingArgs()];
        lines.push(saidAt(words[0]!, 'hosts', words.map(({ text }) => text).join(' ')));
      }
    }
    block.hosts.push({
      at,
      zones: zones.length === 0 ? undefined : zones.flatMap((token) => readAt(token, zonesOf)),
      lines,
      file: fileOf(at, file, lines, root, notes),
      isFallthrough,
    });
  }
}

function fileOf(
  at: Token,
  file: Token | undefined,
  lines: Said[],
  root: string | undefined,
  notes: Note[],
): HostsDraft['file'] {
  if (file !== undefined) {
    return saidAt(file, 'hosts', isAbsolute(file.text) || root === undefined ? file.text : join(root, file.text));
  }
  if (lines.length === 0) return saidAt(at, 'hosts', DEFAULT_FILE);
  const text = `leaves out ${DEFAULT_FILE}, which CoreDNS reads beside the lines where no file is named: it is the container's own; name it where its lines are wanted`;
  notes.push(noteAt(at, 'hosts', text, true));
  return undefined;
}

function readFallthrough(cursor: TokenCursor, notes: Note[]): boolean {
  const at = cursor.token;
  const zones = cursor.remainingArgs();
  if (zones.length > 0) {
    notes.push(
      noteAt(
        at,
        'hosts fallthrough',
        'holds in all zones, not in those alone: what has no line here is asked upstream',
        true,
      ),
    );
  }
  return true;
}

/** True where the cursor is on an option; it has no equal then. */
function readOption(cursor: TokenCursor, notes: Note[]): boolean {
  const at = cursor.token;
  const name = `hosts ${at.text}`;
  if (at.text === 'no_reverse') {
    notes.push(noteAt(at, name, 'is left out: the addresses have PTR records as well', false));
  } else if (at.text === 'fallthrough_unsupported') {
    notes.push(
      noteAt(at, name, 'is built in: types other than A, AAAA and PTR of these names are asked upstream', false),
    );
  } else if (at.text === 'ttl') {
    const [ttl] = cursor.remainingArgs();
    if (ttl === undefined) throw new CorefileRefusal(at, 'ttl needs a number of seconds');
    integerAt(ttl, 1, 65_535);
    notes.push(noteAt(at, name, 'is left out: answers from these lines have a TTL of their own', false));
  } else if (at.text === 'reload') {
    const [period, more] = cursor.remainingArgs();
    if (period === undefined || more !== undefined) throw new CorefileRefusal(more ?? at, 'reload needs a duration');
    durationAt(period, name);
    notes.push(noteAt(at, name, 'is left out: the file is watched', false));
  } else return false;
  return true;
}
