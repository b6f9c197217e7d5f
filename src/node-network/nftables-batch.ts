import { isIPv4 } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { addressBytes } from '../native/sockaddr.ts';
import { attribute, FLAG_ACK, FLAG_CREATE, FLAG_REQUEST, message, nested, text } from './netlink-message.ts';

/** linux/netfilter/nfnetlink.h and nf_tables.h */
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const SUBSYSTEM_NFTABLES = 10;
const NEW_ELEMENT = (SUBSYSTEM_NFTABLES << 8) | 12;
const DELETE_ELEMENT = (SUBSYSTEM_NFTABLES << 8) | 14;
const FAMILY_INET = 1;
const LIST_TABLE = 1;
const LIST_SET = 2;
const LIST_ELEMENTS = 3;
const LIST_ELEMENT = 1;
const ELEMENT_KEY = 1;
const ELEMENT_TIMEOUT = 4;
const DATA_VALUE = 1;

/** `add`, `delete`; a step more than one changes the set as one, like all of a batch. */
export interface ElementStep {
  readonly verb: 'add' | 'delete';
  readonly set: string;
  readonly keys: readonly SocketAddress[];
  /** Of an added element; undefined: it stays. */
  readonly timeoutMs?: number;
}

/** One transaction of set elements. The last step is acknowledged by its sequence number, the number of steps. */
export function elementBatch(table: string, steps: readonly ElementStep[]): Uint8Array {
  const messages = steps.map((step, at) => elementMessage(table, step, at + 1, at === steps.length - 1));
  return Buffer.concat([
    message(BATCH_BEGIN, FLAG_REQUEST, 0, generic(0, SUBSYSTEM_NFTABLES)),
    ...messages,
    message(BATCH_END, FLAG_REQUEST, steps.length + 1, generic(0, SUBSYSTEM_NFTABLES)),
  ]);
}

/** As nft's command line has it. */
export function elementCommands(table: string, steps: readonly ElementStep[]): string {
  return steps
    .map(({ verb, set, keys, timeoutMs }) => {
      const timeout = timeoutMs === undefined ? '' : ` timeout ${timeoutMs}ms`;
      const elements = keys.map(({ host, port }) => `${host} . ${port}${timeout}`);
      return `${verb} element inet ${table} ${set} { ${elements.join(', ')} }\n`;
    })
    .join('');
}

function elementMessage(table: string, step: ElementStep, sequence: number, isLast: boolean): Uint8Array {
  const { verb, set, keys, timeoutMs } = step;
  const flags = FLAG_REQUEST | (verb === 'add' ? FLAG_CREATE : 0) | (isLast ? FLAG_ACK : 0);
  const timeout = timeoutMs === undefined ? [] : [attribute(ELEMENT_TIMEOUT, bigEndian64(timeoutMs))];
  const elements = keys.map((key) =>
    nested(LIST_ELEMENT, nested(ELEMENT_KEY, attribute(DATA_VALUE, keyBytes(key))), ...timeout),
  );
  return message(
    verb === 'add' ? NEW_ELEMENT : DELETE_ELEMENT,
    flags,
    sequence,
    generic(FAMILY_INET, 0),
    text(LIST_TABLE, table),
    text(LIST_SET, set),
    nested(LIST_ELEMENTS, ...elements),
  );
}

/** struct nfgenmsg: family, version, resource in network order. */
function generic(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, resource >> 8, resource & 0xff);
}

/** Address, then port, each filled up to four bytes. */
function keyBytes({ host, port }: SocketAddress): Uint8Array {
  const address = addressBytes(host);
  const bytes = new Uint8Array(isIPv4(host) ? 8 : 20);
  bytes.set(address);
  bytes.set([port >> 8, port & 0xff], address.length);
  return bytes;
}

function bigEndian64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
