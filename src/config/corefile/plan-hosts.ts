import { parseHostLine } from '../hosts.ts';
import { Refusal } from '../refusal.ts';
import type { Said } from '../settings.ts';
import { isWithin } from '../zone-name.ts';
import type { HostsDraft } from './block-draft.ts';
import { type Note, noteAt } from './note.ts';
import type { Server } from './server.ts';
import { closestOf, type ZonePlan } from './zone-plan.ts';

/** Gives the lines and files of every `hosts` to the zones that are asked for their names. */
export function planHosts(servers: readonly Server[], plans: ReadonlyMap<string, ZonePlan>, notes: Note[]): void {
  for (const server of servers) {
    for (const draft of server.block.hosts) {
      for (const line of draft.lines) giveLine(line, draft, server, plans, notes);
      for (const plan of plans.values()) {
        if (plan.server !== server || !isIn(plan.zone, draft)) continue;
        if (draft.file !== undefined) plan.settings.hostsFile = draft.file;
        if (!draft.isFallthrough || plan.targets.length === 0) {
          const text = `is not all that is known of ${plan.zone}: names without a line are asked upstream, where CoreDNS answers SERVFAIL`;
          notes.push(noteAt(draft.at, 'hosts', text, true));
        }
      }
    }
  }
}

/** A line's names may lie in different zones: each gets its own. */
function giveLine(
  line: Said,
  draft: HostsDraft,
  server: Server,
  plans: ReadonlyMap<string, ZonePlan>,
  notes: Note[],
): void {
  const passOver = (reason: string): void => {
    notes.push({
      place: line.origin.place!,
      name: 'hosts',
      text: `passes over the line: ${reason}`,
      matters: false,
    });
  };
  try {
    const entry = parseHostLine(line.text);
    if (entry === undefined) return;
    const byPlan = new Map<ZonePlan, string[]>();
    for (const name of entry.names) {
      const plan = plans.get(closestOf(name, plans) ?? '');
      if (plan?.server !== server || !isIn(name, draft)) {
        passOver(`${name} is in no zone of this block`);
      } else if (plan.settings.refuse?.some(({ text }) => isWithin(name, text))) {
        passOver(`${name} is refused, with the zone that it is in`);
      } else if (plan.settings.aliases?.[name.slice(0, -1)] !== undefined) {
        passOver(`${name} is rewritten before`);
      } else byPlan.set(plan, [...(byPlan.get(plan) ?? []), name]);
    }
    for (const [{ settings }, names] of byPlan) {
      settings.hosts ??= [];
      settings.hosts.push({ ...line, text: [entry.address, ...names].join(' ') });
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    passOver(error.message);
  }
}

function isIn(name: string, { zones }: HostsDraft): boolean {
  return zones === undefined || zones.some((zone) => isWithin(name, zone));
}
