import type { AliasDraft } from './block-draft.ts';
import { type Note, noteAt } from './note.ts';
import type { Server } from './server.ts';
import { closestOf, type ZonePlan } from './zone-plan.ts';

/** Gives what every `rewrite` made of one name to the zone that is asked for that name. */
export function planAliases(servers: readonly Server[], plans: ReadonlyMap<string, ZonePlan>, notes: Note[]): void {
  const given: AliasDraft[] = [];
  for (const server of servers) {
    const first = new Map<string, AliasDraft>();
    for (const [index, draft] of server.block.aliases.entries()) {
      const alias = { ...draft, to: endOf(draft, server.block.aliases.slice(index + 1)) };
      const reason = first.has(alias.from)
        ? `${alias.from} is rewritten before`
        : reasonAgainst(alias, server, plans, notes);
      if (reason !== undefined) notes.push(noteAt(alias.at, 'rewrite', `is left out: ${reason}`, false));
      else given.push(alias);
      first.set(alias.from, alias);
    }
  }
  const froms = new Set(given.map(({ from }) => from));
  for (const { from, to, at, said } of given) {
    if (froms.has(to)) {
      const reason = `${from} is asked as ${to}, which is rewritten itself, and would be answered as what that leads to`;
      notes.push(noteAt(at, 'rewrite', `is left out: ${reason}`, true));
      continue;
    }
    const { settings } = plans.get(closestOf(from, plans)!)!;
    settings.aliases ??= {};
    settings.aliases[from.slice(0, -1)] = { ...said, text: to.slice(0, -1) };
  }
}

/** Where a name comes to by the rules behind one that goes on. */
function endOf({ to, isFinal }: AliasDraft, rest: readonly AliasDraft[]): string {
  let end = to;
  let isOver = isFinal;
  for (const next of rest) {
    if (isOver || next.from !== end) continue;
    end = next.to;
    isOver = next.isFinal;
  }
  return end;
}

/** Why nobody is answered so; undefined: somebody is. */
function reasonAgainst(
  { from, to, at }: AliasDraft,
  server: Server,
  plans: ReadonlyMap<string, ZonePlan>,
  notes: Note[],
): string | undefined {
  const plan = plans.get(closestOf(from, plans) ?? '');
  if (plan?.server !== server) return `${from} is in no zone of this block`;
  if (from === to) return `it leads ${from} back to itself`;
  if (plan.settings.refuse?.some(({ text }) => from === text || from.endsWith(`.${text}`) || text === '.')) {
    return `${from} is refused, with the zone that it is in`;
  }
  const other = plans.get(closestOf(to, plans) ?? '');
  if (other !== plan && other !== undefined) {
    const text = `asks the servers of ${other.zone} for ${to}, where CoreDNS asks those of ${plan.zone}`;
    notes.push(noteAt(at, 'rewrite', text, false));
  }
  return undefined;
}
