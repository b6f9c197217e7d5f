import { Refusal } from '../refusal.ts';
import { reverseZones } from './reverse-zones.ts';

/** Transports that CoreDNS can serve, with the ports they have by default. */
const PORTS: Readonly<Record<string, number>> = { dns: 53, tls: 853, quic: 853, grpc: 443, https: 443, https3: 443 };

/** What stands in front of a server block: `dns://corp.example:1053`, `10.0.0.0/24`. */
export interface ZoneKey {
  readonly transport: string;
  /** Lower case, with the trailing dot. Several for a prefix that does not end on a label's border. */
  readonly zones: readonly string[];
  readonly port: number;
}

/** Reads the key of a server block. Throws `Refusal`. */
export function parseZoneKey(text: string): ZoneKey {
  const transport = Object.keys(PORTS).find((name) => text.startsWith(`${name}://`)) ?? 'dns';
  const rest = text.startsWith(`${transport}://`) ? text.slice(transport.length + 3) : text;
  if (rest.endsWith(':')) throw new Refusal('expected a port after the colon');
  const [, name = rest, port] = /^(.*):([+-]?\d+)$/s.exec(rest) ?? [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    throw new Refusal(`the port is ${port}, expected 1 to 65535`);
  }
  return { transport, zones: zonesOf(name), port: port === undefined ? PORTS[transport]! : Number(port) };
}

/** The zones that one argument of a directive or the name of a block stands for. Throws `Refusal`. */
export function zonesOf(name: string): string[] {
  const zones = reverseZones(name);
  if (zones !== undefined && (name.startsWith(':') || (name.startsWith('0') && name.includes(':')))) {
    throw new Refusal('expected an IP prefix such as 10.0.0.0/24 or fd00::/64');
  }
  return (zones ?? [checked(name)]).map((zone) => (zone.endsWith('.') ? zone : `${zone}.`).toLowerCase());
}

/** What no DNS message could ask for is refused here; the stricter rules of a zone's name are those of all configuration. */
function checked(name: string): string {
  const labels = name.replace(/\.$/, '').split('.');
  const isName = name === '.' || labels.every((label) => label !== '' && label.length <= 63);
  if (!isName || name.length > 254) throw new Refusal('expected a domain name such as corp.example, or an IP prefix');
  return name;
}
