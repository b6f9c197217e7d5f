import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { UpstreamAddress } from '../config/config.ts';
import type { TlsMemory } from './tls-memory.ts';

/** What is to be spoken, by the names of RFC 7301. */
const DOT = 'dot';
const HTTP2 = 'h2';

export interface DialOptions {
  /** Reads into a buffer of the caller's own in place of 'data' events. */
  readonly onread?: OnReadOpts;
  /** tls, https: what earlier connections to this address have left, so that the next one need not begin anew. */
  readonly memory?: TlsMemory;
  /** Questions may leave: connected, and for tls and https the certificate is good. Not before `dialStream` has returned. */
  readonly onOpen?: () => void;
}

/**
 * Opens a stream to a server: TCP, or TLS where its transport is tls or https. What goes wrong comes as 'error', named by `failureReason`;
 * nothing may be written before `onOpen`.
 */
export function dialStream(address: UpstreamAddress, options: DialOptions = {}): Socket {
  const { host, port, transport, source } = address;
  const { onread, onOpen } = options;
  const target = { host, port, noDelay: true, ...(source && { localAddress: source }), ...(onread && { onread }) };
  if (transport === 'tls' || transport === 'https') return dialTls(address, target, options);
  const socket = connectTcp(target);
  if (onOpen !== undefined) socket.once('connect', onOpen);
  return socket;
}

interface Target {
  readonly host: string;
  readonly port: number;
  readonly noDelay: boolean;
  readonly localAddress?: string;
  readonly onread?: OnReadOpts;
}

function dialTls({ transport, serverName, ca }: UpstreamAddress, target: Target, options: DialOptions): TLSSocket {
  const { memory, onOpen } = options;
  const session = memory?.take();
  const socket = connectTls({
    ...target,
    ALPNProtocols: [transport === 'https' ? HTTP2 : DOT],
    minVersion: 'TLSv1.2',
    // Said here, for an environment variable could say otherwise.
    rejectUnauthorized: true,
    ...(memory === undefined ? { ca } : { secureContext: memory.context }),
    // The name is sent only where it is one (RFC 6066, section 3); without it the certificate is held against the address.
    ...(serverName !== undefined && isIP(serverName) === 0 && { servername: serverName }),
    ...(session && { session }),
  });
  memory?.watch(socket);
  socket.once('secureConnect', () => {
    if (transport !== 'https' || socket.alpnProtocol === HTTP2) onOpen?.();
    else socket.destroy(Object.assign(new Error('it does not speak HTTP/2 on this port'), { code: 'ERR_TLS_ALPN' }));
  });
  return socket;
}

const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate expired',
  CERT_NOT_YET_VALID: 'certificate not yet valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate authority',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate authority',
  INVALID_CA: 'certificate authority',
  CERT_SIGNATURE_FAILURE: 'certificate invalid',
  CERT_REVOKED: 'certificate revoked',
  CERT_REJECTED: 'certificate invalid',
  CERT_UNTRUSTED: 'certificate invalid',
  INVALID_PURPOSE: 'certificate invalid',
  EPROTO: 'TLS protocol',
};

/** What went wrong with a stream, in a short word that stays the same: for logs and metrics. System errors keep their code (ECONNREFUSED). */
export function failureReason({ code, message }: NodeJS.ErrnoException): string {
  if (code === undefined) return message;
  const reason = REASONS[code];
  if (reason !== undefined) return reason;
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') ? 'TLS protocol' : code;
}

const DETAILS: Readonly<Record<string, string>> = {
  'certificate expired': 'its certificate has expired',
  'certificate not yet valid': 'its certificate is not yet valid: is the clock of this machine right?',
  'certificate self-signed': 'its certificate is signed by itself: give it as caFile to trust it',
  'certificate authority': 'an authority that is not trusted here signed its certificate: give that one as caFile',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port',
};

type DialError = NodeJS.ErrnoException & { host?: string; cert?: { subjectaltname?: string }; reason?: string };

/** The same for a person, with what the server's certificate says where that is the matter; undefined where the reason tells all. */
export function failureDetail(error: DialError): string | undefined {
  const reason = failureReason(error);
  if (reason === 'certificate name') return nameDetail(error);
  const isTls = reason === 'TLS protocol' || reason.startsWith('certificate ');
  return DETAILS[error.code ?? ''] ?? DETAILS[reason] ?? (isTls ? (error.reason ?? error.message) : undefined);
}

function nameDetail({ cert, host }: DialError): string {
  const names = cert?.subjectaltname?.replaceAll(/(?:DNS|IP Address):/g, '') ?? 'no name';
  return `its certificate is for ${names}, not for ${host}`;
}
