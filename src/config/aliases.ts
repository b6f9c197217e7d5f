import { ALIASES } from '../core/limits.ts';
import type { Complaints } from './complaints.ts';
import type { Alias } from './config.ts';
import { parseHostLine } from './hosts.ts';
import { Refusal } from './refusal.ts';
import type { Said, ZoneSettings } from './settings.ts';
import { isWithin, parseZoneName } from './zone-name.ts';

/** An alias, and where it was said. */
export interface SaidAlias extends Alias {
  readonly said: Said;
}

/** Reads `from` and `to` of an alias in `zone`. Throws `Refusal`. */
export function parseAlias(from: string, to: string, zone: string): Alias {
  const alias = { from: parseZoneName(from), to: parseZoneName(to) };
  if (alias.from === '.' || alias.to === '.') throw new Refusal('expected domain names, such as db.corp.example');
  if (!isWithin(alias.from, zone)) throw new Refusal(`${alias.from} is not in this zone, ${zone}`);
  if (alias.from === alias.to) throw new Refusal('this is the name itself');
  return alias;
}

/** What is said of one zone, as far as it matters here. */
interface AliasZone {
  readonly aliases?: readonly SaidAlias[] | undefined;
  readonly said: Pick<ZoneSettings, 'hosts'>;
}

/** What only shows when the aliases of all zones are known. */
export function checkAliases(zones: Iterable<AliasZone>, complaints: Complaints): void {
  const all = [...zones].filter(({ aliases = [] }) => aliases.length > 0);
  const aliases = all.flatMap((zone) => zone.aliases!);
  const froms = new Set(aliases.map(({ from }) => from));
  if (aliases.length > ALIASES.value) {
    ALIASES.hits++;
    complain(aliases.at(-1)!, `expected at most ${ALIASES.value} aliases, all zones together`, complaints);
  }
  for (const alias of aliases) {
    if (!froms.has(alias.to)) continue;
    complain(alias, `${alias.to} is an alias, too; expected the name that it leads to in the end`, complaints);
  }
  for (const zone of all) {
    const hosts = new Set((zone.said.hosts ?? []).flatMap(({ text }) => namesOf(text)));
    for (const alias of zone.aliases!) {
      if (hosts.has(alias.from))
        complain(alias, `${alias.from} has hosts entries; give it one or the other`, complaints);
    }
  }
}

function complain({ said }: SaidAlias, reason: string, complaints: Complaints): void {
  complaints.refuse('ERR_ZONE', (value) => `set ${said.origin.name} to ${value}`, said, reason);
}

/** None of a line that is wrong, which was said already. */
function namesOf(line: string): readonly string[] {
  try {
    return parseHostLine(line)?.names ?? [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [];
  }
}
