import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { decodeMessage, encodeMessage } from '../wire/codec.ts';
import type { Protocol } from './port-holder.ts';

/** On the node itself an answer takes well below a millisecond, but for one that is busy from end to end. None but a start that fails waits so long, and its message is what helps. */
const TIMEOUT_MS = 2000;

/** What a server says of itself, from the network: shown, so not too long and without what moves a terminal's cursor. */
const SHOWN_CHARACTERS = 64;

/**
 * What answers at an address of this node, by its own word: `CoreDNS-1.11.3`, `signpost 0.1.0` (`version.bind`, class CHAOS). The empty text: a DNS server that does not say.
 * Undefined: nobody answers DNS there.
 */
export async function askVersion(
  address: SocketAddress,
  protocol: Protocol,
  timeoutMs = TIMEOUT_MS,
): Promise<string | undefined> {
  const id = Math.floor(Math.random() * 65_536);
  const query = encodeMessage({ id, questions: [{ name: 'version.bind', type: 'TXT', class: 'CH' }] });
  const reply = await (protocol === 'UDP' ? overUdp(query, address, timeoutMs) : overTcp(query, address, timeoutMs));
  if (reply === undefined) return undefined;
  try {
    const { answers, type, id: answered } = decodeMessage(reply);
    if (type !== 'response' || answered !== id) return undefined;
    const [record] = answers;
    if (record?.type !== 'TXT') return '';
    const said = Buffer.concat([record.data].flat().map((piece) => Buffer.from(piece))).toString('utf8');
    return said.replace(/\p{C}/gu, '?').slice(0, SHOWN_CHARACTERS);
  } catch {
    return undefined;
  }
}

function overUdp(query: Uint8Array, { host, port }: SocketAddress, timeoutMs: number): Promise<Uint8Array | undefined> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  socket.on('error', () => resolve(undefined));
  socket.on('message', (reply) => resolve(reply));
  socket.once('connect', () => socket.send(query));
  socket.connect(port, host);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}

function overTcp(query: Uint8Array, { host, port }: SocketAddress, timeoutMs: number): Promise<Uint8Array | undefined> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
  const socket = connect(port, host);
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  const chunks: Buffer[] = [];
  socket.on('error', () => resolve(undefined));
  socket.on('close', () => resolve(undefined));
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (bytes.length > 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) resolve(bytes.subarray(2));
  });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  socket.write(Buffer.concat([length, query]));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}
