import type { UpstreamAddress } from '../config/config.ts';
import { monotonicClock } from '../core/clock.ts';
import { TimerWheel } from '../core/timer-wheel.ts';
import { Exchange } from '../upstream/exchange.ts';
import { RandomIds } from '../upstream/random-ids.ts';
import { TCP_TIMING, TcpPool, type TcpPoolOwner } from '../upstream/tcp-pool.ts';
import { type Answer, NoAnswer, silent } from './dns-exchange.ts';

/**
 * Sends a query to a server over TLS or HTTPS, as the agent itself would, and waits for its reply. `questionEnd`: just after the question in `query`. Throws
 * `NoAnswer` where none comes, which says what is wrong with a certificate.
 */
export async function exchangeOverStream(
  query: Uint8Array,
  questionEnd: number,
  address: UpstreamAddress,
  timeoutMs: number,
): Promise<Answer> {
  const startMs = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const clock = monotonicClock;
  const wheel = new TimerWheel({ clock });
  const owner = new Owner(reject);
  // So that what is wrong with a handshake is told before the time is over.
  const timing = { ...TCP_TIMING, connectMs: timeoutMs / 2 };
  const pool = new TcpPool({ address, owner, clock, wheel, ids: new RandomIds(), random: Math.random, timing });
  const timeout = setTimeout(() => reject(new NoAnswer(silent(timeoutMs).message)), timeoutMs);
  pool.ask(new Question(query, questionEnd, resolve, () => reject(new NoAnswer('it closed the connection'))));
  const bytes = await promise.finally(() => {
    clearTimeout(timeout);
    pool.close();
  });
  return { bytes, elapsedMs: performance.now() - startMs, transport: address.transport === 'tls' ? 'tls' : 'https' };
}

/** Hears why nothing came; asks nowhere else. */
class Owner implements TcpPoolOwner {
  /** Longer than anybody waits here: nothing is asked elsewhere. */
  readonly hedgeMs = 60_000;
  readonly #reject: (reason: NoAnswer) => void;

  constructor(reject: (reason: NoAnswer) => void) {
    this.#reject = reject;
  }

  onReply(exchange: Exchange, message: Uint8Array, start: number, end: number): void {
    if (exchange instanceof Question) exchange.resolve(new Uint8Array(message.subarray(start, end)));
  }

  onStreamFailed(reason: string, detail?: string): void {
    const said = reason === 'ECONNREFUSED' ? 'nothing listens there' : reason;
    this.#reject(new NoAnswer(detail === undefined ? said : `${said}: ${detail}`));
  }

  onBadReply(): void {}

  askAgain(): boolean {
    return false;
  }

  askOverUdp(): boolean {
    return false;
  }

  warmUp(): Exchange {
    return new Question(
      new Uint8Array(0),
      0,
      () => {},
      () => {},
    );
  }
}

class Question extends Exchange {
  readonly resolve: (reply: Uint8Array) => void;

  readonly #onUnreachable: () => void;

  constructor(
    message: Uint8Array,
    questionEnd: number,
    resolve: (reply: Uint8Array) => void,
    onUnreachable: () => void,
  ) {
    super(message, questionEnd, message.length);
    this.resolve = resolve;
    this.#onUnreachable = onUnreachable;
  }

  override onReply(): void {}
  override onUnreachable(): void {
    this.#onUnreachable();
  }

  override onTimeout(): void {}
}
