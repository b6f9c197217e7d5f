import { getSystemErrorName } from 'node:util';
import type { SocketAddress } from '../config/config.ts';
import { SignpostError } from '../core/errors.ts';
import { loadLibc } from '../native/libc.ts';
import { NetlinkSocket } from '../native/netlink-socket.ts';
import { errorCode, readMessages } from './netlink-message.ts';
import { type ElementStep, elementBatch, elementCommands } from './nftables-batch.ts';
import { ARMED_MS, LEAVING_MS, TABLE } from './nftables-table.ts';
import { runTool } from './tool.ts';
import { familyOf } from './wanted-from-config.ts';

const NETLINK_NETFILTER = 12;

/** Puts elements into sets of our table, all steps as one. Rejects with `ERR_NFTABLES`. */
export interface ElementWriter {
  write(steps: readonly ElementStep[]): Promise<void>;
  close(): void;
}

/** What is done to the sets in a second of being alive. Adding again does not prolong, and deleting what has just ended fails: so both, and in that order. */
export function renewal(listen: readonly SocketAddress[]): ElementStep[] {
  return setSteps(listen, 'armed', ARMED_MS);
}

/** The opposite, and TCP connections of before go on. */
export function withdrawal(listen: readonly SocketAddress[]): ElementStep[] {
  const gone = setSteps(listen, 'armed', ARMED_MS).filter((_step, at) => at % 3 < 2);
  return [...gone, ...setSteps(listen, 'leaving', LEAVING_MS)];
}

function setSteps(listen: readonly SocketAddress[], name: string, timeoutMs: number): ElementStep[] {
  return ([4, 6] as const).flatMap((family) => {
    const keys = listen.filter(({ host }) => familyOf(host) === family);
    const set = `${name}${family}`;
    if (keys.length === 0) return [];
    const add: ElementStep = { verb: 'add', set, keys, timeoutMs };
    return [add, { verb: 'delete', set, keys }, add];
  });
}

/** Over a socket of our own where there can be one: it takes a twentieth of what a tool costs. Else with nft. */
export async function openElementWriter(): Promise<ElementWriter> {
  try {
    return new NetlinkWriter(new NetlinkSocket(await loadLibc(), NETLINK_NETFILTER));
  } catch {
    return new ToolWriter();
  }
}

class NetlinkWriter implements ElementWriter {
  readonly #socket: NetlinkSocket;
  /** The same steps are written every second. */
  readonly #batches = new WeakMap<readonly ElementStep[], Uint8Array>();
  #latest: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** One after the other: replies come on the same socket. */
  write(steps: readonly ElementStep[]): Promise<void> {
    const done = this.#latest.then(() => this.#writeNow(steps));
    this.#latest = done.catch(() => {});
    return done;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A write that still waits in its thread would go to whatever is opened next under the descriptor's number.
    void this.#latest.then(() => this.#socket.close());
  }

  async #writeNow(steps: readonly ElementStep[]): Promise<void> {
    if (steps.length === 0) return;
    if (this.#isClosed) throw refusal('closed');
    // Of an earlier write that gave up: not ours.
    while (this.#socket.receive() !== undefined);
    const batch = this.#batches.get(steps) ?? elementBatch(TABLE, steps);
    this.#batches.set(steps, batch);
    await this.#socket.send(batch);
    for (let bytes = this.#socket.receive(); bytes !== undefined; bytes = this.#socket.receive()) {
      for (const header of readMessages(bytes)) {
        const code = errorCode(bytes, header);
        if (code !== undefined && code !== 0) throw refusal(getSystemErrorName(-code));
        if (code === 0 && header.sequence === steps.length) return;
      }
    }
    throw refusal('the kernel did not say that it is done');
  }
}

/** A process each time: some 5 ms of CPU. */
export class ToolWriter implements ElementWriter {
  async write(steps: readonly ElementStep[]): Promise<void> {
    if (steps.length === 0) return;
    const { code, stderr } = await runTool('nft', ['-f', '-'], { input: elementCommands(TABLE, steps) });
    if (code !== 0) throw refusal(firstLine(stderr));
  }

  close(): void {}
}

function refusal(why: string): SignpostError {
  return new SignpostError('ERR_NFTABLES', `Cannot set the switch in table inet ${TABLE}: ${why}`);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
