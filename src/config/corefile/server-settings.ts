import * as net from 'node:net';
import type { Said, Settings } from '../settings.ts';
import { isWildcard } from '../socket-address.ts';
import { type Note, noteAt } from './note.ts';
import { saidAt } from './said.ts';
import type { Server } from './server.ts';

export interface ServerSettingsParts {
  /** Whom a block without `bind` listens on. */
  readonly listenHosts: readonly string[];
  readonly notes: Note[];
}

/** What blocks say of the process rather than of zones: where it listens, how it ends, what it logs. */
export function serverSettings(
  servers: readonly Server[],
  parts: ServerSettingsParts,
): Pick<Settings, 'listen' | 'metrics' | 'probes' | 'lameduck' | 'logLevel'> {
  const { notes } = parts;
  const blocks = servers.map(({ block }) => block);
  const listen = listenSaid(servers, parts);
  // Go's empty host is all addresses of both families; here the wildcard of IPv6 is, on nodes that have it.
  const wildcard = listen.some(({ text }) => text.startsWith('[')) ? '[::]' : '0.0.0.0';
  const filled = (said: Said): Said => ({ ...said, text: said.text.replace(/^(?=:)/, wildcard) });
  const metrics = first(blocks.flatMap((block) => block.metrics ?? []).map(filled), notes);
  const lameduck = first(
    blocks.flatMap((block) => block.lameduck ?? []),
    notes,
  );
  const logLevel = first(
    blocks.flatMap((block) => block.logLevel ?? []),
    notes,
  );
  const health = blocks.flatMap((block) => block.health).map(filled);
  const probes = [...new Map(health.map((said) => [said.text, said])).values()];
  return {
    listen,
    ...(metrics && { metrics }),
    ...(probes.length > 0 && { probes }),
    ...(lameduck && { lameduck }),
    ...(logLevel && { logLevel }),
  };
}

/** The first; others that say something else are named. */
function first([said, ...others]: readonly Said[], notes: Note[]): Said | undefined {
  for (const { text, origin } of others) {
    if (text === said!.text) continue;
    const where = `${said!.text} of ${said!.origin.place} counts for all blocks`;
    notes.push({ place: origin.place!, name: origin.name, text: `${text} is left out: ${where}`, matters: true });
  }
  return said;
}

function listenSaid(servers: readonly Server[], { notes, listenHosts }: ServerSettingsParts): Said[] {
  const all = new Map<string, Said>();
  const sets = new Set<string>();
  for (const { block, ports, zones } of servers) {
    const { at } = zones[0]!;
    let hosts = block.listenHosts.filter(({ text }) => !isWildcard(text));
    if (hosts.length === 0) {
      const text = `listens on all addresses of the node in CoreDNS, here on ${listenHosts.join(', ')} (--listen): a reply has to come from the address that was asked`;
      notes.push(noteAt(at, 'server block', text, true));
      hosts = listenHosts.map((host) => saidAt(at, 'bind', host));
    }
    const addresses = hosts.flatMap((host) => ports.map((port) => ({ ...host, text: withPort(host.text, port) })));
    for (const address of addresses) all.set(address.text, address);
    sets.add(
      addresses
        .map(({ text }) => text)
        .sort()
        .join(' '),
    );
  }
  if (sets.size > 1) {
    const text = 'has blocks that listen on different addresses: here all zones are answered on all of them';
    notes.push(noteAt(servers[0]!.zones[0]!.at, 'bind', text, true));
  }
  return [...all.values()];
}

function withPort(host: string, port: number): string {
  return net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
