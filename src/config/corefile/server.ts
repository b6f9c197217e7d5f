import type { Complaints } from '../complaints.ts';
import { BlockDraft } from './block-draft.ts';
import { readDirective } from './directives.ts';
import { type Note, noteAt } from './note.ts';
import { readAt } from './said.ts';
import type { ServerBlock } from './server-blocks.ts';
import type { Token } from './token.ts';
import { CorefileRefusal, TokenCursor } from './token-cursor.ts';
import { parseZoneKey, type ZoneKey } from './zone-key.ts';

/** One server block, read. */
export interface Server {
  readonly zones: readonly ServerZone[];
  readonly ports: readonly number[];
  readonly block: BlockDraft;
}

export interface ServerZone {
  /** Lower case, with the trailing dot. */
  readonly zone: string;
  readonly at: Token;
}

/** Reads the zones and directives of a block; what is wrong in it goes to `complaints`, the rest is read. */
export function readServer({ keys, directives }: ServerBlock, notes: Note[], complaints: Complaints): Server {
  const zones: ServerZone[] = [];
  const ports = new Set<number>();
  for (const at of keys) {
    const key = attempt(complaints, at.text, () => readAt(at, parseZoneKey));
    if (key === undefined) continue;
    if (key.transport !== 'dns') notes.push(noteAt(at, at.text, `is left out: ${WHY_PLAIN}`, true));
    else zones.push(...zonesAt(at, key, ports));
  }
  const block = new BlockDraft();
  const root = rootOf(directives.get('root'));
  for (const [name, tokens] of directives) {
    attempt(complaints, name, () => readDirective(name, tokens, { block, notes, root }));
  }
  return { zones, ports: [...ports], block };
}

const WHY_PLAIN = 'clients ask over UDP and TCP, so a block for another transport has nothing to do';

function zonesAt(at: Token, { zones, port }: ZoneKey, ports: Set<number>): ServerZone[] {
  ports.add(port);
  return zones.map((zone) => ({ zone, at }));
}

function rootOf(tokens: readonly Token[] | undefined): string | undefined {
  if (tokens === undefined) return undefined;
  const cursor = new TokenCursor(tokens, tokens[0]!.file);
  cursor.next();
  return cursor.remainingArgs()[0]?.text;
}

/** What `read` returns; where it refuses, undefined, and the complaint names `what`. */
export function attempt<T>(complaints: Complaints, what: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CorefileRefusal)) throw error;
    complaints.add('ERR_COREFILE', `${error.place}: Cannot read ${what}: ${error.message}`);
    return undefined;
  }
}
