import { NETWORK_NEWS_BYTES } from '../core/limits.ts';
import { loadLibc } from '../native/libc.ts';
import { NetlinkSocket } from '../native/netlink-socket.ts';
import { UV_READABLE, UvPoll } from '../native/uv-poll.ts';
import { type NetlinkHeader, readMessages, textOf } from './netlink-message.ts';

const NETLINK_ROUTE = 0;
const NETLINK_NETFILTER = 12;
/** Groups: links, IPv4 and IPv6 addresses (linux/rtnetlink.h), nf_tables (linux/netfilter/nfnetlink.h). */
const ROUTE_GROUPS = [1, 5, 9];
const NFTABLES_GROUP = 7;

const LINK_NEW = 16;
const LINK_DELETED = 17;
const ADDRESS_DELETED = 21;
const INTERFACE_NAME = 3;
/** struct ifaddrmsg: family, prefix length, flags and scope, 8 bits each. */
const AF_INET6 = 10;
const ADDRESS_SCOPE = 3;
const SCOPE_LINK = 253;
/** struct ifinfomsg stands before a link's attributes, struct nfgenmsg before those of nf_tables. */
const LINK_HEAD_BYTES = 16;
const NFTABLES_HEAD_BYTES = 4;

const SUBSYSTEM_NFTABLES = 10;
const ELEMENTS_NEW = 12;
const ELEMENTS_DELETED = 14;
/** The first attribute of every message of nf_tables but two is its table's name; for elements, the second is the set's. */
const TABLE_NAME = 1;
const SET_NAME = 2;
const GENERATION = 15;
const TRACE = 17;

/** Reads of one turn: more wait for the next one. */
const READS = 64;

export interface NetworkWatchOptions {
  /** The link whose changes matter. */
  link: string;
  /** Tables of nf_tables whose changes matter, by name. */
  tables: readonly string[];
  /** Something may have changed. Called outside node's callback scopes: to begin with `setImmediate` what is more than setting a timer. */
  onChange: () => void;
}

/**
 * Hears from the kernel that somebody touches link, addresses or rules. The switch's own elements, which change every second, are not told. Without the system calls
 * there is no watch, and the timer alone finds what is amiss.
 */
export class NetworkWatch {
  readonly #options: NetworkWatchOptions;
  readonly #sockets: { socket: NetlinkSocket; poll: UvPoll }[] = [];

  /** Rejects where it cannot be. */
  static async open(options: NetworkWatchOptions): Promise<NetworkWatch> {
    const libc = await loadLibc();
    await UvPoll.load();
    const watch = new NetworkWatch(options);
    try {
      watch.#listen(new NetlinkSocket(libc, NETLINK_ROUTE), ROUTE_GROUPS, (bytes, header) =>
        watch.#isOfLink(bytes, header),
      );
      if (options.tables.length > 0) {
        const socket = new NetlinkSocket(libc, NETLINK_NETFILTER);
        watch.#listen(socket, [NFTABLES_GROUP], (bytes, header) => isOfTables(bytes, header, options.tables));
      }
    } catch (error) {
      // The first of them listens already.
      watch.close();
      throw error;
    }
    return watch;
  }

  private constructor(options: NetworkWatchOptions) {
    this.#options = options;
  }

  close(): void {
    for (const { socket, poll } of this.#sockets.splice(0)) poll.close(() => socket.close());
  }

  #listen(
    socket: NetlinkSocket,
    groups: readonly number[],
    matters: (bytes: Uint8Array, header: NetlinkHeader) => boolean,
  ): void {
    try {
      socket.setReceiveBuffer(NETWORK_NEWS_BYTES.value);
      for (const group of groups) socket.join(group);
      const poll = new UvPoll(socket.fd, () => {
        if (hasNews(socket, matters)) this.#options.onChange();
        poll.watch(UV_READABLE);
      });
      this.#sockets.push({ socket, poll });
      poll.watch(UV_READABLE);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  #isOfLink(bytes: Uint8Array, { type, start, end }: NetlinkHeader): boolean {
    // Of IPv6 addresses that hold on one link alone every pod that goes takes one along, and none is ours.
    if (type === ADDRESS_DELETED) return bytes[start] !== AF_INET6 || bytes[start + ADDRESS_SCOPE] !== SCOPE_LINK;
    if (type !== LINK_NEW && type !== LINK_DELETED) return false;
    return textOf(bytes, start + LINK_HEAD_BYTES, end, INTERFACE_NAME) === this.#options.link;
  }
}

function hasNews(socket: NetlinkSocket, matters: (bytes: Uint8Array, header: NetlinkHeader) => boolean): boolean {
  let isNews = false;
  for (let reads = 0; reads < READS; reads++) {
    let bytes: Uint8Array | undefined;
    try {
      bytes = socket.receive();
    } catch {
      // ENOBUFS: more came than there was room for.
      NETWORK_NEWS_BYTES.hits++;
      return true;
    }
    if (bytes === undefined) break;
    // Read to the end in any case: what stays would wake us again.
    for (const header of isNews ? [] : readMessages(bytes)) isNews ||= matters(bytes, header);
  }
  return isNews;
}

/** Exported for its test. */
export function isOfTables(bytes: Uint8Array, header: NetlinkHeader, tables: readonly string[]): boolean {
  const verb = header.type & 0xff;
  if (header.type >> 8 !== SUBSYSTEM_NFTABLES || verb === GENERATION || verb === TRACE) return false;
  const at = header.start + NFTABLES_HEAD_BYTES;
  const table = textOf(bytes, at, header.end, TABLE_NAME);
  if (table === undefined || !tables.includes(table)) return false;
  if (verb !== ELEMENTS_NEW && verb !== ELEMENTS_DELETED) return true;
  return !/^(?:armed|leaving|moved)[46]$/.test(textOf(bytes, at, header.end, SET_NAME) ?? '');
}
