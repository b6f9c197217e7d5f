import dgram from 'node:dgram';
import net from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { FLAG_QR, FLAG_TC } from '../wire/constants.ts';
import { FrameReader } from '../wire/framing.ts';

/** Sends of one UDP query, spread over the time there is: on the way a datagram may be lost. */
const SENDS = 3;

export interface Answer {
  readonly bytes: Uint8Array;
  readonly elapsedMs: number;
  readonly transport: 'udp' | 'tcp' | 'tls' | 'https';
}

/** No reply came; the message says why, without naming the server. */
export class NoAnswer extends Error {}

export interface ExchangeOptions {
  readonly isTcp: boolean;
  readonly timeoutMs: number;
}

/**
 * Sends a query to a server and waits for its reply: over UDP, and again over TCP where that one is truncated, or over TCP at once.
 * Throws `NoAnswer` where none comes.
 */
export async function exchange(
  query: Uint8Array,
  server: SocketAddress,
  { isTcp, timeoutMs }: ExchangeOptions,
): Promise<Answer> {
  const startMs = performance.now();
  if (!isTcp) {
    const bytes = await overUdp(query, server, timeoutMs);
    if ((flagsOf(bytes) & FLAG_TC) === 0) return { bytes, elapsedMs: performance.now() - startMs, transport: 'udp' };
  }
  const bytes = await overTcp(query, server, timeoutMs - (performance.now() - startMs));
  return { bytes, elapsedMs: performance.now() - startMs, transport: 'tcp' };
}

function overUdp(query: Uint8Array, { host, port }: SocketAddress, timeoutMs: number): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4');
  const send = (): void => socket.send(query);
  let resend: NodeJS.Timeout | undefined;
  const timeout = setTimeout(() => reject(silent(timeoutMs)), timeoutMs);
  socket.on('error', reject);
  socket.on('message', (bytes) => {
    if (isReplyTo(query, bytes)) resolve(bytes);
  });
  // Connected, so that the system tells of a closed port and drops what others send. Where there is no way to the server, that is an error already.
  socket.once('connect', () => {
    send();
    resend = setInterval(send, timeoutMs / SENDS);
  });
  socket.connect(port, host);
  return promise.catch(fail).finally(() => {
    clearInterval(resend);
    clearTimeout(timeout);
    socket.close();
  });
}

function overTcp(query: Uint8Array, { host, port }: SocketAddress, timeoutMs: number): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const socket = net.connect(port, host);
  const timeout = setTimeout(() => reject(silent(timeoutMs)), timeoutMs);
  const frames = new FrameReader();
  const sink = {
    onFrame(bytes: Uint8Array, start: number, end: number): void {
      const message = bytes.slice(start, end);
      if (isReplyTo(query, message)) resolve(message);
    },
  };
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('it closed the connection')));
  socket.on('data', (chunk: Buffer) => frames.read(chunk, 0, chunk.length, sink));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  socket.write(Buffer.concat([length, query]));
  return promise.catch(fail).finally(() => {
    clearTimeout(timeout);
    socket.destroy();
  });
}

function isReplyTo(query: Uint8Array, bytes: Uint8Array): boolean {
  return bytes.length >= 12 && bytes[0] === query[0] && bytes[1] === query[1] && (flagsOf(bytes) & FLAG_QR) !== 0;
}

function flagsOf(bytes: Uint8Array): number {
  return (bytes[2]! << 8) | bytes[3]!;
}

/** Why there is no answer, when the time is over. */
export function silent(timeoutMs: number): Error {
  return new Error(`no answer within ${Math.round(timeoutMs)} ms`);
}

function fail(cause: NodeJS.ErrnoException): never {
  throw new NoAnswer(cause.code === 'ECONNREFUSED' ? 'nothing listens there' : cause.message, { cause });
}
