import * as net from 'node:net';
import { shown } from '../complaints.ts';
import type { ForwardDraft, ReadContext, Target } from './block-draft.ts';
import { ForwardOptions, readForwardOption } from './forward-options.ts';
import { type Note, noteAt } from './note.ts';
import { PLACEHOLDER_CLUSTER_DNS, PLACEHOLDER_UPSTREAM_SERVERS } from './placeholders.ts';
import { readAt, saidAt } from './said.ts';
import type { Token } from './token.ts';
import { CorefileRefusal, type TokenCursor } from './token-cursor.ts';
import { zonesOf } from './zone-key.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { tls: 853, https: 443 };

/** All `forward` of one block. Throws `CorefileRefusal`. */
export function readForward(cursor: TokenCursor, context: ReadContext): void {
  while (cursor.next()) context.block.forwards.push(readStanza(cursor, context));
}

function readStanza(cursor: TokenCursor, { notes, root }: ReadContext): ForwardDraft {
  const at = cursor.token;
  if (!cursor.nextArg()) cursor.refuse('expected forward FROM TO..., such as forward . 10.96.0.10');
  const [from = '.', ...others] = readAt(cursor.token, zonesOf);
  if (others.length > 0) {
    notes.push(
      noteAt(at, 'forward', `${cursor.text} is ${others.length + 1} zones; as in CoreDNS only ${from} counts`, true),
    );
  }
  const to = cursor.remainingArgs();
  if (to.length === 0) cursor.refuse('expected whom to ask: an IP address, or a file such as /etc/resolv.conf');
  const options = new ForwardOptions();
  while (cursor.nextInBlock()) {
    readForwardOption(cursor, options, notes, root);
  }
  const targets = to.flatMap((token) => targetsOf(token, options, notes));
  if (targets.length === 0) throw new CorefileRefusal(at, 'none of its addresses can be asked');
  const { except, policy, tryTimeout, source } = options;
  const isEncrypted = targets.some((target) => target.kind === 'address' && /^(tls|https):/.test(target.said.text));
  const caFile = isEncrypted ? options.caFile : undefined;
  return {
    at,
    from,
    targets,
    except: new Set(except),
    ...(policy && { policy }),
    ...(tryTimeout && { tryTimeout }),
    ...(caFile && { caFile }),
    ...(source && { source }),
  };
}

function targetsOf(token: Token, options: ForwardOptions, notes: Note[]): Target[] {
  const [, scheme = 'dns', rest = ''] = /^(?:(\w+):\/\/)?(.*)$/s.exec(token.text)!;
  const plain = options.isTcp ? 'tcp' : 'udp+tcp';
  if (rest === PLACEHOLDER_CLUSTER_DNS) return [{ kind: 'cluster-dns', scheme: plain }];
  if (rest === PLACEHOLDER_UPSTREAM_SERVERS) return [{ kind: 'upstream-servers', scheme: plain }];
  if (scheme === 'quic') {
    notes.push(noteAt(token, 'forward', `${token.text} is left out: DNS over QUIC is not supported`, true));
    return [];
  }
  if (!['dns', 'tls', 'https'].includes(scheme)) {
    throw new CorefileRefusal(
      token,
      `${shown(token.text)}: expected an IP address, dns://, tls:// or https://, or a file`,
    );
  }
  if (scheme === 'https' && rest.includes('/')) {
    throw new CorefileRefusal(token, `${shown(token.text)}: expected https://IP, without a path`);
  }
  const address = addressOf(rest, DEFAULT_PORTS[scheme] ?? 53);
  if (address === undefined) {
    if (rest.includes('/')) {
      return [{ kind: 'resolv.conf', path: saidAt(token, 'forward', rest), scheme: plain }];
    }
    const reason = `${shown(token.text)}: expected an IP address or a file; the agent looks up no names of its own upstreams`;
    throw new CorefileRefusal(token, reason);
  }
  return [{ kind: 'address', said: saidAt(token, 'forward', urlOf(token, scheme, plain, address, options)) }];
}

interface Address {
  readonly host: string;
  readonly port: string;
  /** `IP%name`: the name on the certificate, or the zone of a link-local address. */
  readonly zone: string | undefined;
}

function urlOf(
  token: Token,
  scheme: string,
  plain: string,
  { host, port, zone }: Address,
  options: ForwardOptions,
): string {
  const literal = net.isIPv6(host) ? `[${host}]` : host;
  if (scheme === 'dns') return `${plain}://${literal}:${port}`;
  if (zone !== undefined && options.serverName !== undefined) {
    throw new CorefileRefusal(
      token,
      `${shown(token.text)}: the certificate's name is given here and by tls_servername`,
    );
  }
  const name = options.serverName ?? zone;
  if (scheme === 'tls') return `tls://${literal}:${port}${name === undefined ? '' : `#${name}`}`;
  return name === undefined ? `https://${literal}:${port}/dns-query` : `https://${name}:${port}/dns-query@${host}`;
}

/** `IP`, `IP:PORT`, `[v6]:port`, with `%zone` behind the address or behind the port. */
function addressOf(text: string, defaultPort: number): Address | undefined {
  const [, bracketed, v4, inner, port, outer] =
    /^(?:\[([0-9A-Fa-f:.]+(?:%[^\]]*)?)\]|([0-9.]+)(?:%([^:]*))?)(?::(\d+))?(?:%(.*))?$/.exec(text) ?? [];
  const [host = '', zone = inner ?? outer] = (bracketed ?? v4 ?? text).split('%', 2);
  if (net.isIP(host) === 0) return undefined;
  return { host, port: port ?? String(defaultPort), zone };
}
