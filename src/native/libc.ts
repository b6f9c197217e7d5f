import { getSystemErrorName } from 'node:util';
import { foreign, type Koffi } from './foreign.ts';
import { EBADF } from './struct-layout.ts';

type Pointer = Uint8Array | null;

/**
 * System calls. Every function returns what C's does: -1 says that `errno` tells why. Where an address is a number, the memory must be kept
 * reachable from a live object for as long as the kernel may use it: what nobody refers to is collected even while a call runs.
 */
export class Libc {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: Pointer, length: number) => number;
  readonly getsockname: (fd: number, address: Pointer, length: Pointer) => number;
  readonly setsockopt: (fd: number, level: number, name: number, value: Pointer, length: number) => number;
  readonly getsockopt: (fd: number, level: number, name: number, value: Pointer, length: Pointer) => number;
  readonly recvmmsg: (fd: number, headers: number, count: number, flags: number, timeout: number) => number;
  readonly sendmmsg: (fd: number, headers: number, count: number, flags: number) => number;
  readonly close: (fd: number) => number;
  readonly connect: (fd: number, address: Pointer, length: number) => number;
  readonly sendmsg: (fd: number, header: Pointer, flags: number) => number;
  readonly recvmsg: (fd: number, header: Pointer, flags: number) => number;
  /** A file that lies in memory and has no path. */
  readonly memfd_create: (name: string, flags: number) => number;
  /** With commands that take one number: the form for others is the same on the architectures whose layouts we have. */
  readonly fcntl: (fd: number, command: number, argument: number) => number;
  /** Why the latest call failed. */
  readonly errno: () => number;
  readonly #koffi: Koffi;

  constructor(koffi: Koffi) {
    // The process itself: whichever libc node was linked with.
    const process = koffi.load(null);
    this.#koffi = koffi;
    this.errno = () => koffi.errno();
    this.socket = process.func('int socket(int, int, int)');
    this.bind = process.func('int bind(int, void*, uint32_t)');
    this.getsockname = process.func('int getsockname(int, void*, void*)');
    this.setsockopt = process.func('int setsockopt(int, int, int, void*, uint32_t)');
    this.getsockopt = process.func('int getsockopt(int, int, int, void*, void*)');
    this.recvmmsg = process.func('int recvmmsg(int, uintptr_t, uint32_t, int, uintptr_t)');
    this.sendmmsg = process.func('int sendmmsg(int, uintptr_t, uint32_t, int)');
    this.close = process.func('int close(int)');
    this.connect = process.func('int connect(int, void*, uint32_t)');
    this.sendmsg = process.func('intptr_t sendmsg(int, void*, int)');
    this.recvmsg = process.func('intptr_t recvmsg(int, void*, int)');
    this.memfd_create = process.func('int memfd_create(const char*, uint32_t)');
    this.fcntl = process.func('int fcntl(int, int, int)');
  }

  /** Where a buffer lies; it does not move. Exact: addresses of user space are below 2^53. */
  addressOf(buffer: ArrayBuffer): number {
    return Number(this.#koffi.address(buffer));
  }

  /** What node would throw for the latest failure: its `code` is a name such as EADDRINUSE. */
  error(call: string, detail = ''): NodeJS.ErrnoException {
    const errno = this.errno();
    const code = getSystemErrorName(-errno);
    const what = detail === '' ? `${call} ${code}` : `${call} ${code} ${detail}`;
    return Object.assign(new Error(what), { errno: -errno, code, syscall: call });
  }
}

let loaded: Libc | undefined;

/** Rejects where there is no Linux, koffi has nothing for this platform, or a sandbox has not got the calls. */
export async function loadLibc(): Promise<Libc> {
  loaded ??= expectCalls(new Libc(await foreign()));
  return loaded;
}

function expectCalls(libc: Libc): Libc {
  libc.recvmmsg(-1, 0, 0, 0, 0);
  if (libc.errno() !== EBADF) throw libc.error('recvmmsg');
  libc.sendmmsg(-1, 0, 0, 0);
  if (libc.errno() !== EBADF) throw libc.error('sendmmsg');
  return libc;
}
