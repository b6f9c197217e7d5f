import { isIPv6 } from 'node:net';
import { duplicate } from './descriptors.ts';
import type { Libc } from './libc.ts';
import { decodeSockaddr, encodeSockaddr } from './sockaddr.ts';
import {
  AF_INET,
  AF_INET6,
  IP_PKTINFO,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVPKTINFO,
  IPV6_V6ONLY,
  SK_MEMINFO_DROPS,
  SK_MEMINFO_VARS,
  SO_MEMINFO,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCKADDR_IN6_BYTES,
  SOL_SOCKET,
  SOL_UDP,
  UDP_SEGMENT,
} from './struct-layout.ts';

export interface UdpDescriptorOptions {
  host: string;
  port: number;
  receiveBufferBytes: number;
  /** Each datagram comes with the address that it was sent to, and its answer leaves from there. */
  isWildcard: boolean;
  /** A socket that is bound to this address already, taken over from another process. Ours to close from now on, also where the constructor throws. */
  adopted?: number | undefined;
}

/** A UDP socket as the system has it: bound, non-blocking, not inherited by child processes. */
export class UdpDescriptor {
  readonly fd: number;
  readonly isIPv6: boolean;
  readonly isWildcard: boolean;
  readonly port: number;
  /** What the kernel granted, its own bookkeeping included: twice what may be used. */
  readonly receiveBufferBytes: number;
  /** Whether the kernel cuts one message into datagrams (Linux 4.18 and later). An interface may refuse to: then it is false from then on. */
  canSegment: boolean;
  readonly #libc: Libc;
  readonly #meminfo = new Uint32Array(new ArrayBuffer(4 * SK_MEMINFO_VARS));

  /** Throws what the system said, with its name as `code`. */
  constructor(libc: Libc, { host, port, receiveBufferBytes, isWildcard, adopted }: UdpDescriptorOptions) {
    this.#libc = libc;
    this.isIPv6 = isIPv6(host);
    this.isWildcard = isWildcard;
    const domain = this.isIPv6 ? AF_INET6 : AF_INET;
    this.fd = adopted ?? libc.socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd === -1) throw libc.error('socket');
    try {
      if (this.isIPv6 && adopted === undefined) this.#set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
      if (isWildcard && this.isIPv6) this.#set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
      else if (isWildcard) this.#set(IPPROTO_IP, IP_PKTINFO, 1);
      this.#growReceiveBuffer(receiveBufferBytes);
      this.receiveBufferBytes = this.#get(SOL_SOCKET, SO_RCVBUF);
      // 0 is what holds anyway: messages go out whole unless they say otherwise.
      this.canSegment = this.#trySet(SOL_UDP, UDP_SEGMENT, 0);
      if (adopted === undefined) this.#bind(host, port);
      this.port = this.#boundPort();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Datagrams that the kernel threw away since the socket was opened, most because the receive buffer was full. */
  get drops(): number {
    const bytes = new Uint8Array(this.#meminfo.buffer);
    const length = lengthOf(bytes);
    const isRead = this.#libc.getsockopt(this.fd, SOL_SOCKET, SO_MEMINFO, bytes, length) === 0;
    return isRead ? this.#meminfo[SK_MEMINFO_DROPS]! : 0;
  }

  /** The same socket once more, for whoever closes what is given to it. */
  duplicate(): number {
    return duplicate(this.#libc, this.fd);
  }

  close(): void {
    this.#libc.close(this.fd);
  }

  #bind(host: string, port: number): void {
    const address = encodeSockaddr(host, port);
    if (this.#libc.bind(this.fd, address, address.length) !== 0) throw this.#libc.error('bind', `${host}:${port}`);
  }

  #growReceiveBuffer(bytes: number): void {
    // With CAP_NET_ADMIN the bound net.core.rmem_max does not hold; without it the kernel cuts to that, and says nothing.
    if (this.#trySet(SOL_SOCKET, SO_RCVBUFFORCE, bytes)) return;
    this.#set(SOL_SOCKET, SO_RCVBUF, bytes);
  }

  #boundPort(): number {
    const address = new Uint8Array(SOCKADDR_IN6_BYTES);
    const length = lengthOf(address);
    if (this.#libc.getsockname(this.fd, address, length) !== 0) throw this.#libc.error('getsockname');
    return decodeSockaddr(address, 0).port;
  }

  #trySet(level: number, name: number, value: number): boolean {
    const bytes = new Uint8Array(Int32Array.of(value).buffer);
    return this.#libc.setsockopt(this.fd, level, name, bytes, bytes.length) === 0;
  }

  #set(level: number, name: number, value: number): void {
    if (!this.#trySet(level, name, value)) throw this.#libc.error('setsockopt', `${level} ${name}`);
  }

  #get(level: number, name: number): number {
    const value = new Int32Array(1);
    const bytes = new Uint8Array(value.buffer);
    const length = lengthOf(bytes);
    if (this.#libc.getsockopt(this.fd, level, name, bytes, length) !== 0)
      throw this.#libc.error('getsockopt', `${name}`);
    return value[0]!;
  }
}

/** A socklen_t, which the kernel writes to. */
function lengthOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(Uint32Array.of(bytes.length).buffer);
}
