import type { Server, Socket } from 'node:net';
import type { Libc } from './libc.ts';
import {
  AF_UNIX,
  EAGAIN,
  F_DUPFD_CLOEXEC,
  MFD_CLOEXEC,
  SO_PEERCRED,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOCKADDR_UN_BYTES,
  SOCKADDR_UN_PATH,
  SOL_SOCKET,
  UCRED_BYTES,
  UCRED_USER,
} from './struct-layout.ts';

/** A second descriptor of the same open file, not inherited by child processes. Throws what the system said. */
export function duplicate(libc: Libc, fd: number): number {
  const copy = libc.fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy === -1) throw libc.error('fcntl', 'F_DUPFD_CLOEXEC');
  return copy;
}

/** A file in memory that is gone with its last descriptor. Throws what the system said. */
export function openMemoryFile(libc: Libc, name: string): number {
  const fd = libc.memfd_create(name, MFD_CLOEXEC);
  if (fd === -1) throw libc.error('memfd_create');
  return fd;
}

/** A stream socket connected to the Unix socket at `path`. Throws what the system said: ECONNREFUSED and ENOENT mean that nobody listens. */
export function connectUnix(libc: Libc, path: string): number {
  const name = Buffer.from(path);
  if (name.length >= SOCKADDR_UN_BYTES - SOCKADDR_UN_PATH) throw new Error(`connect: the path ${path} is too long`);
  const fd = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd === -1) throw libc.error('socket');
  const address = new Uint8Array(SOCKADDR_UN_BYTES);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, SOCKADDR_UN_PATH);
  if (libc.connect(fd, address, address.length) === 0) return fd;
  // A full backlog, for which a socket that does not wait gets EAGAIN: the listener hangs.
  const error = libc.errno() === EAGAIN ? new Error(`connect: nobody takes connections at ${path}`) : undefined;
  const failure = error ?? libc.error('connect', path);
  libc.close(fd);
  throw failure;
}

/** The user of the process that listens at the other end of a socket of the Unix family. Throws what the system said. */
export function peerUser(libc: Libc, fd: number): number {
  const credentials = new Uint8Array(UCRED_BYTES);
  const length = new Uint8Array(Uint32Array.of(UCRED_BYTES).buffer);
  if (libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0) throw libc.error('getsockopt', 'peer');
  return new DataView(credentials.buffer).getUint32(UCRED_USER, true);
}

/** What node keeps a server's descriptor in; it has no public name. */
interface WithHandle {
  readonly _handle: { readonly fd?: number } | null;
}

/** The descriptor that a server or connection of node:net has open; -1 where it has none. It stays node's. */
export function descriptorOf(of: Server | Socket): number {
  return (of as unknown as WithHandle)._handle?.fd ?? -1;
}
