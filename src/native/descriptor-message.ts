import type { Libc } from './libc.ts';
import {
  CMSGHDR_BYTES,
  CMSGHDR_LEVEL,
  CMSGHDR_TYPE,
  EAGAIN,
  IOVEC_BYTES,
  IOVEC_LENGTH,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSGHDR_BYTES,
  MSGHDR_CONTROL,
  MSGHDR_CONTROL_LENGTH,
  MSGHDR_FLAGS,
  MSGHDR_VECTOR_COUNT,
  MSGHDR_VECTORS,
  SCM_RIGHTS,
  SOL_SOCKET,
} from './struct-layout.ts';

/** The kernel takes 253 in one message (SCM_MAX_FD). */
export const DESCRIPTORS_A_MESSAGE = 250;

const DATA_BYTES = 64 * 1024;
const CONTROL_BYTES = CMSGHDR_BYTES + 4 * DESCRIPTORS_A_MESSAGE;

/** What one `receive` gave. `bytes` is a view that the next one overwrites; undefined: nothing is there now. Empty: the other end has closed. */
export interface ReceivedBytes {
  readonly bytes: Uint8Array | undefined;
  readonly descriptors: readonly number[];
}

/** Bytes and descriptors on a stream socket of the Unix family (SCM_RIGHTS). Never waits. */
export class DescriptorMessage {
  readonly #libc: Libc;
  // Fields, for the kernel has their addresses: what nobody refers to is collected even while a call runs.
  readonly #header = new ArrayBuffer(MSGHDR_BYTES);
  readonly #vector = new ArrayBuffer(IOVEC_BYTES);
  readonly #data = new ArrayBuffer(DATA_BYTES);
  readonly #control = new ArrayBuffer(CONTROL_BYTES);

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** True when all has left, false where the kernel takes none now. The receiver gets copies: ours stay open. Throws what the system said. */
  send(fd: number, bytes: Uint8Array, descriptors: readonly number[]): boolean {
    new Uint8Array(this.#data).set(bytes);
    const control = new DataView(this.#control);
    const controlLength = descriptors.length === 0 ? 0 : CMSGHDR_BYTES + 4 * descriptors.length;
    control.setBigUint64(0, BigInt(controlLength), true);
    control.setInt32(CMSGHDR_LEVEL, SOL_SOCKET, true);
    control.setInt32(CMSGHDR_TYPE, SCM_RIGHTS, true);
    for (const [i, descriptor] of descriptors.entries()) control.setInt32(CMSGHDR_BYTES + 4 * i, descriptor, true);
    // Control messages are aligned to 8 bytes.
    this.#point(bytes.length, (controlLength + 7) & ~7);
    const sent = this.#libc.sendmsg(fd, new Uint8Array(this.#header), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent === bytes.length) return true;
    if (sent === -1 && this.#libc.errno() === EAGAIN) return false;
    throw sent === -1 ? this.#libc.error('sendmsg') : new Error(`sendmsg: ${sent} of ${bytes.length} bytes`);
  }

  /** Throws what the system said. Descriptors are the caller's to close, and are not inherited by child processes. */
  receive(fd: number): ReceivedBytes {
    this.#point(DATA_BYTES, CONTROL_BYTES);
    const count = this.#libc.recvmsg(fd, new Uint8Array(this.#header), MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count === -1 && this.#libc.errno() === EAGAIN) return { bytes: undefined, descriptors: [] };
    if (count === -1) throw this.#libc.error('recvmsg');
    const header = new DataView(this.#header);
    const descriptors = this.#descriptors(Number(header.getBigUint64(MSGHDR_CONTROL_LENGTH, true)));
    if ((header.getInt32(MSGHDR_FLAGS, true) & MSG_CTRUNC) !== 0) {
      for (const descriptor of descriptors) this.#libc.close(descriptor);
      throw new Error('recvmsg: descriptors were cut off, for no more may be open');
    }
    return { bytes: new Uint8Array(this.#data, 0, count), descriptors };
  }

  #descriptors(controlLength: number): number[] {
    const control = new DataView(this.#control);
    if (controlLength < CMSGHDR_BYTES) return [];
    if (control.getInt32(CMSGHDR_LEVEL, true) !== SOL_SOCKET || control.getInt32(CMSGHDR_TYPE, true) !== SCM_RIGHTS) {
      return [];
    }
    const end = Number(control.getBigUint64(0, true));
    const descriptors: number[] = [];
    for (let at = CMSGHDR_BYTES; at + 4 <= end; at += 4) descriptors.push(control.getInt32(at, true));
    return descriptors;
  }

  #point(dataLength: number, controlLength: number): void {
    const vector = new DataView(this.#vector);
    vector.setBigUint64(0, BigInt(this.#libc.addressOf(this.#data)), true);
    vector.setBigUint64(IOVEC_LENGTH, BigInt(dataLength), true);
    const header = new DataView(this.#header);
    header.setBigUint64(MSGHDR_VECTORS, BigInt(this.#libc.addressOf(this.#vector)), true);
    header.setBigUint64(MSGHDR_VECTOR_COUNT, 1n, true);
    const controlAddress = controlLength === 0 ? 0 : this.#libc.addressOf(this.#control);
    header.setBigUint64(MSGHDR_CONTROL, BigInt(controlAddress), true);
    header.setBigUint64(MSGHDR_CONTROL_LENGTH, BigInt(controlLength), true);
    header.setInt32(MSGHDR_FLAGS, 0, true);
  }
}
