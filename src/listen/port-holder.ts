import { readdir, readFile, readlink } from 'node:fs/promises';
import { endianness } from 'node:os';
import { basename } from 'node:path';
import type { SocketAddress } from '../config/config.ts';
import { addressBytes } from '../native/sockaddr.ts';

export type Protocol = 'UDP' | 'TCP';

/** One socket of a table in /proc/net. */
interface KernelSocket {
  /** Address as the kernel writes it: 32-bit words in hexadecimal, in the machine's own byte order. */
  readonly hexAddress: string;
  readonly port: number;
  readonly state: string;
  readonly inode: string;
}

/** A TCP socket that listens; a UDP socket without a peer. */
const OPEN_STATES = { TCP: '0A', UDP: '07' } as const;

/** `named (process 812)`: the process that has an address open or a wildcard that covers it; undefined where it cannot be seen. */
export async function findPortHolder(address: SocketAddress, protocol: Protocol): Promise<string | undefined> {
  for (const inode of await findSockets(address, protocol)) {
    const holder = await findProcess(inode);
    if (holder !== undefined) return holder;
  }
  return undefined;
}

/** Inodes of the sockets that an address may collide with. */
async function findSockets({ host, port }: SocketAddress, protocol: Protocol): Promise<string[]> {
  const table = protocol.toLowerCase();
  const sockets = [...(await readTable(`/proc/net/${table}`)), ...(await readTable(`/proc/net/${table}6`))];
  const hexAddress = toHexAddress(host);
  return sockets
    .filter((socket) => socket.port === port && socket.state === OPEN_STATES[protocol])
    .filter((socket) => socket.hexAddress === hexAddress || /^0+$/.test(socket.hexAddress))
    .map((socket) => socket.inode);
}

/** Empty where there is no such table: no Linux, or no IPv6. */
async function readTable(path: string): Promise<KernelSocket[]> {
  const text = await readFile(path, 'latin1').catch(() => '');
  const sockets: KernelSocket[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    const [hexAddress, hexPort] = local?.split(':') ?? [];
    if (hexAddress === undefined || hexPort === undefined || state === undefined || inode === undefined) continue;
    sockets.push({ hexAddress, port: Number.parseInt(hexPort, 16), state, inode });
  }
  return sockets;
}

/** Walks /proc/PID/fd. Without rights to look into other users' processes their sockets are not found. */
async function findProcess(inode: string): Promise<string | undefined> {
  const link = `socket:[${inode}]`;
  for (const pid of await list('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const descriptor of await list(`/proc/${pid}/fd`)) {
      if ((await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')) !== link) continue;
      const program = await readlink(`/proc/${pid}/exe`).catch(() => 'a program');
      return `${basename(program)} (process ${pid})`;
    }
  }
  return undefined;
}

async function list(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

function toHexAddress(host: string): string {
  const bytes = addressBytes(host);
  const view = new DataView(Uint8Array.from(bytes).buffer);
  let hex = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const word = view.getUint32(at, endianness() === 'LE');
    hex += word.toString(16).toUpperCase().padStart(8, '0');
  }
  return hex;
}
