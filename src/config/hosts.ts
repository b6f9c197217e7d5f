import type { HostEntry } from './config.ts';
import { Refusal } from './refusal.ts';
import { canonicalHost } from './socket-address.ts';
import { isWithin, parseZoneName } from './zone-name.ts';

export interface HostsFile {
  readonly entries: readonly HostEntry[];
  /** What was passed over and why, each with its line: `12: …`. */
  readonly notes: readonly string[];
}

/** A file may be wrong in every line; these are enough to see what is the matter. */
const MAX_NOTES = 10;

/**
 * A hosts(5) file, as far as its names are in `zone`; others are passed over silently, for one file may serve many zones. A line that cannot be
 * used is passed over with a note.
 */
export function parseHostsFile(text: string, zone: string): HostsFile {
  const entries: HostEntry[] = [];
  const notes: string[] = [];
  let bad = 0;
  for (const [index, line] of text.split('\n').entries()) {
    try {
      const entry = parseHostLine(line);
      const names = entry?.names.filter((name) => isWithin(name, zone)) ?? [];
      if (entry !== undefined && names.length > 0) entries.push({ address: entry.address, names });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (++bad <= MAX_NOTES) notes.push(`${index + 1}: the line is passed over: ${error.message}`);
    }
  }
  if (bad > MAX_NOTES) notes.push(` ${bad - MAX_NOTES} more lines are passed over`);
  return { entries, notes };
}

/** One line, `10.1.2.3 db.corp.example db`; undefined where it is empty or a comment. Throws `Refusal`. */
export function parseHostLine(line: string): HostEntry | undefined {
  const [first, ...others] = line
    .split('#', 1)[0]!
    .split(/\s+/)
    .filter((word) => word !== '');
  if (first === undefined) return undefined;
  const address = canonicalHost(first);
  if (address === undefined) throw new Refusal(`${JSON.stringify(first)} is no IP address; ${EXPECTED}`);
  if (others.length === 0) throw new Refusal(`there is no name; ${EXPECTED}`);
  return { address, names: others.map(hostName) };
}

const EXPECTED = 'expected an address and its names, such as 10.1.2.3 db.corp.example';

function hostName(text: string): string {
  const name = parseZoneName(text);
  if (name === '.') throw new Refusal(EXPECTED);
  return name;
}
