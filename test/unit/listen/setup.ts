import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { SocketAddress } from '../../../src/config/config.ts';
import type { Limit } from '../../../src/core/limits.ts';
import { TimerWheel } from '../../../src/core/timer-wheel.ts';
import { Listeners, type ListenersParts } from '../../../src/listen/listeners.ts';
import type { UdpKind } from '../../../src/listen/udp-listener.ts';
import { TrafficTable } from '../../../src/metrics/traffic-table.ts';
import { ZoneIds } from '../../../src/metrics/zone-ids.ts';
import type { Client, ReplySink } from '../../../src/resolve/client.ts';
import { ANSWERED, DROPPED, HELD, type Responder } from '../../../src/resolve/responder.ts';
import { Reply } from '../../../src/wire/reply.ts';
import { encodeQuestion } from '../../client/message.ts';
import { FakeClock } from '../../fake-clock.ts';

export const LARGE_BYTES = 60_000;
export const BODY_BYTES = 1000;
/** What `slab.` is answered from: 1,000 octets from 5 on. */
export const SLAB = Uint8Array.from({ length: 4096 }, (_, i) => i * 7);

/** A question that the test answers when it wants to. */
export class HeldQuestion {
  readonly id: number;
  readonly sink: ReplySink;
  readonly #message: Uint8Array;

  constructor(message: Uint8Array, sink: ReplySink) {
    this.id = (message[0]! << 8) | message[1]!;
    this.sink = sink;
    this.#message = message;
  }

  answer(body: Uint8Array = new Uint8Array(0)): void {
    this.sink.send(echo(this.#message, 0, this.#message.length, body, new Reply()));
  }
}

/** Answers `large.` with 60,000 octets more and `slab.` with 1,000 and a tail of 3, holds `held.`, drops `drop.` and what is too short; everything else comes back with QR set. */
export class EchoResponder implements Responder {
  readonly held: HeldQuestion[] = [];
  answered = 0;
  readonly #large = new Uint8Array(LARGE_BYTES).fill(7);

  respond(bytes: Uint8Array, start: number, end: number, _nowMs: number, client: Client, reply: Reply): number {
    const label = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1', start + 13, start + 17);
    if (label === 'drop' || end - start < 12) return DROPPED;
    if (label === 'held') {
      const sink = client.hold();
      if (sink === undefined) return DROPPED;
      this.held.push(new HeldQuestion(new Uint8Array(bytes.subarray(start, end)), sink));
      return HELD;
    }
    this.answered++;
    if (label === 'slab') {
      echo(bytes, start, end, SLAB, reply);
      reply.bodyStart = 5;
      reply.bodyEnd = 5 + BODY_BYTES;
      reply.tail = TAIL;
      reply.tailEnd = TAIL.length;
      return ANSWERED;
    }
    echo(bytes, start, end, label === 'larg' ? this.#large : this.#large.subarray(0, 0), reply);
    return ANSWERED;
  }
}

const TAIL = Uint8Array.of(0, 1, 2);

function echo(bytes: Uint8Array, start: number, end: number, body: Uint8Array, reply: Reply): Reply {
  bytes[start + 2]! |= 0x80;
  reply.head = bytes;
  reply.headStart = start;
  reply.headEnd = end;
  reply.body = body;
  reply.bodyStart = 0;
  reply.bodyEnd = body.length;
  reply.tailEnd = 0;
  return reply;
}

export interface Setup {
  readonly listeners: Listeners;
  readonly responder: EchoResponder;
  readonly traffics: TrafficTable;
  readonly wheel: TimerWheel;
  /** Lets time pass, and fires what is due. */
  pass(ms: number): void;
}

export const LOOPBACK: SocketAddress = { host: '127.0.0.1', port: 0 };

/** Listeners on a clock that stands still; closed when the test is over. */
export async function open(
  t: TestContext,
  addresses: readonly SocketAddress[] = [LOOPBACK],
  parts: Partial<ListenersParts> = {},
): Promise<Setup> {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock, tickMs: 250, arm: () => {} });
  const responder = new EchoResponder();
  const traffics = new TrafficTable(new ZoneIds());
  const listeners = await Listeners.open(addresses, { responder, traffics, clock, wheel, ...parts });
  const pass = (ms: number): void => {
    clock.advance(ms);
    wheel.advance();
  };
  t.after(async () => {
    const closed = listeners.close();
    pass(2750);
    await closed;
  });
  return { listeners, responder, traffics, wheel, pass };
}

/** As `open`, with UDP of one kind. */
export function openUdp(
  t: TestContext,
  kind: UdpKind,
  addresses: readonly SocketAddress[] = [LOOPBACK],
  parts: Partial<ListenersParts> = {},
): Promise<Setup> {
  return open(t, addresses, { udpKinds: [kind], slab: SLAB, ...parts });
}

export function bound(value: number): Limit {
  return { name: 'test', value, hits: 0 };
}

/** Waits for what another end of a socket brings about. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const givenUpMs = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > givenUpMs) assert.fail(`never seen in 10 s: ${what}`);
    await turn();
  }
}

export function query(name: string, id = 1): Buffer {
  return encodeQuestion({ id, name, type: 'A' });
}

/** Nothing is kept of connections and questions that are over. */
export async function expectEmpty({ listeners, wheel }: Setup): Promise<void> {
  await until('all connections are gone', () => listeners.counts.total === 0);
  assert.equal(listeners.counts.clients, 0);
  assert.equal(listeners.counts.paused, 0);
  assert.equal(wheel.size, 0);
  for (const listener of listeners.tcp) assert.equal(listener.connections, 0);
  for (const listener of listeners.udp) assert.equal(listener.held, 0);
}
