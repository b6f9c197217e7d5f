import assert from 'node:assert/strict';
import type {
  PolicyName,
  SocketAddress,
  TransportName,
  UpstreamAddress,
  ZoneConfig,
} from '../../../src/config/config.ts';
import { monotonicClock } from '../../../src/core/clock.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import { TimerWheel } from '../../../src/core/timer-wheel.ts';
import type { Failure } from '../../../src/upstream/ask.ts';
import type { Forwarder } from '../../../src/upstream/forwarder.ts';
import { TCP_TIMING, type TcpTiming } from '../../../src/upstream/tcp-pool.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';
import { Upstreams } from '../../../src/upstream/upstreams.ts';
import { encodeQuestion } from '../../client/message.ts';

/** What came of one question. */
export interface Outcome {
  readonly rcode: number;
  readonly failure: Failure | undefined;
  readonly reply: Buffer;
  readonly label: string;
  readonly ms: number;
}

export interface QuestionParts {
  readonly type?: string;
  /** Without OPT. */
  readonly isPlain?: boolean;
}

/** Asks `name`; resolves with the answer's rcode (-1: none). Fails the test where a second callback, or one before `ask` returned, comes. */
export function ask(
  forwarder: Forwarder,
  name: string,
  { type = 'A', isPlain = false }: QuestionParts = {},
): Promise<Outcome> {
  const message = encodeQuestion({ name, type, id: 0, ...(isPlain ? {} : { udpSize: 1232 }) });
  const questionEnd = message.indexOf(0, 12) + 5;
  const before = Buffer.from(message);
  const startedMs = performance.now();
  let hasReturned = false;
  let calls = 0;
  return new Promise((resolve) => {
    const end = (outcome: Omit<Outcome, 'ms'>): void => {
      assert.equal(hasReturned, true, 'called back before ask returned');
      assert.equal(++calls, 1, 'called back twice');
      assert.ok(before.equals(message), 'the message was changed');
      resolve({ ...outcome, ms: performance.now() - startedMs });
    };
    forwarder.ask({
      message,
      questionEnd,
      end: message.length,
      onAnswer(bytes, start, stop, { label }) {
        const reply = Buffer.from(bytes.subarray(start, stop));
        end({ rcode: reply[3]! & 15, failure: undefined, reply, label });
      },
      onFailure: (failure) => end({ rcode: -1, failure, reply: Buffer.alloc(0), label: '' }),
    });
    hasReturned = true;
  });
}

export interface SetUpOptions {
  readonly transport?: TransportName;
  readonly policy?: PolicyName;
  readonly tryMs?: number;
  readonly totalMs?: number;
  readonly timing?: Partial<TcpTiming>;
  readonly log?: Logger;
  readonly random?: () => number;
}

export interface SetUp {
  readonly upstreams: Upstreams;
  readonly forwarder: Forwarder;
  readonly first: Upstream;
  readonly all: readonly Upstream[];
  readonly wheel: TimerWheel;
}

/** Upstreams at the given addresses, all for the root zone. Looks after its connections every 30 ms or so in place of once a second. */
export function setUp(addresses: readonly Address[], options: SetUpOptions = {}): SetUp {
  const { log = silentLogger, timing = {}, random = Math.random } = options;
  const wheel = new TimerWheel({ clock: monotonicClock });
  const clock = monotonicClock;
  const slowWheel = new TimerWheel({ clock, tickMs: 5 });
  const allTiming = { ...TCP_TIMING, inspectMs: 30, ...timing };
  const upstreams = new Upstreams({ clock, wheel, slowWheel, log, random, timing: allTiming });
  const forwarder = upstreams.apply([zone('.', addresses, options)]).get('.')!;
  const all = [...upstreams.list()];
  return { upstreams, forwarder, wheel, all, first: all[0]! };
}

type Address = SocketAddress & Partial<UpstreamAddress>;

/** One zone of a configuration. */
export function zone(
  name: string,
  addresses: readonly Address[],
  { transport = 'tcp', policy = 'sequential', tryMs = 1000, totalMs = 5000 }: SetUpOptions = {},
): ZoneConfig {
  const upstreams: UpstreamAddress[] = addresses.map((address) => ({ transport, ...address }));
  const cache = {
    positiveMinSeconds: 0,
    positiveMaxSeconds: 30,
    negativeMinSeconds: 0,
    negativeMaxSeconds: 5,
    staleSeconds: 3600,
    staleTtlSeconds: 30,
    staleAfterMs: 1800,
    prefetchHits: 2,
    keepLastGoodSeconds: 0,
  };
  const local = { hasAaaa: true, hosts: [], aliases: [], refuse: [], logSample: 0 };
  return { zone: name, upstreams, policy, tryMs, totalMs, cache, ...local };
}

/** Waits for what must come true; fails after 10 s. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > endMs) assert.fail(`still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
