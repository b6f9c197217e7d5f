import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the kernel's own range (32768 and up), so that no client socket takes a port between its choice and its use. */
const LOWEST = 10_240;
const HIGHEST = 32_000;

/** A port that is free on loopback for UDP and TCP, IPv4 and IPv6: for servers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const isFree = await Promise.all([isUdpFree(port), isTcpFree('127.0.0.1', port), isTcpFree('::1', port)]);
    if (isFree.every(Boolean)) return port;
  }
}

async function isUdpFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

async function isTcpFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
