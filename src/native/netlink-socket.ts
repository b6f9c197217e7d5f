import { readSync, write } from 'node:fs';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import type { Libc } from './libc.ts';
import { SO_RCVBUF, SOCK_CLOEXEC, SOCK_NONBLOCK, SOL_SOCKET } from './struct-layout.ts';

/** linux/netlink.h: struct sockaddr_nl is family (16 bits), padding, port and groups (32 bits each). */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCKADDR_NL_BYTES = 12;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;

const isLittleEndian = endianness() === 'LE';
const writeLater = promisify(write);

/** One read: the kernel fills no more than this into a piece of a dump, and a batch's errors are short. */
const READ_BYTES = 32_768;

/** A conversation with a part of the kernel (netlink(7)): requests to it, and what it tells those who joined a group. */
export class NetlinkSocket {
  readonly fd: number;
  readonly #libc: Libc;
  readonly #buffer = new Uint8Array(READ_BYTES);

  /** Throws what the system said, with its name as `code`. */
  constructor(libc: Libc, protocol: number) {
    this.#libc = libc;
    this.fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (this.fd === -1) throw libc.error('socket', 'netlink');
    try {
      const address = new Uint8Array(SOCKADDR_NL_BYTES);
      new DataView(address.buffer).setUint16(0, AF_NETLINK, isLittleEndian);
      if (libc.bind(this.fd, address, address.length) !== 0) throw libc.error('bind', 'netlink');
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** From now on it gets what the group is told. */
  join(group: number): void {
    this.#set(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
  }

  /** Room for what is told while the loop is busy. Past it, messages are lost, and `receive` throws ENOBUFS once. */
  setReceiveBuffer(bytes: number): void {
    this.#set(SOL_SOCKET, SO_RCVBUF, bytes);
  }

  /**
   * Gives the kernel a message. In a thread of the pool, for the kernel does what it asks within the call, and may wait for locks of others. When it resolves, the replies can be
   * received.
   */
  async send(message: Uint8Array): Promise<void> {
    await writeLater(this.fd, message, 0, message.length, null);
  }

  /** What has come: one or several messages, valid until the next call. Undefined: nothing. Throws ENOBUFS where something was lost. */
  receive(): Uint8Array | undefined {
    try {
      return this.#buffer.subarray(0, readSync(this.fd, this.#buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
      throw error;
    }
  }

  close(): void {
    this.#libc.close(this.fd);
  }

  #set(level: number, name: number, value: number): void {
    const bytes = new Uint8Array(Int32Array.of(value).buffer);
    if (this.#libc.setsockopt(this.fd, level, name, bytes, bytes.length) !== 0)
      throw this.#libc.error('setsockopt', `${level} ${name}`);
  }
}
