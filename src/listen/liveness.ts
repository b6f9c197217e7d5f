import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { OwnDatagrams } from './own-datagrams.ts';
import { OwnStream } from './own-stream.ts';
import type { TcpListener } from './tcp.ts';
import type { UdpListener } from './udp-listener.ts';

/** Every socket that queries come in on, as it is now. */
export interface Listening {
  readonly udp: readonly UdpListener[];
  readonly tcp: readonly TcpListener[];
}

export interface LivenessParts {
  readonly listeners: Listening;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Two looks that are closer are one: the question that the first one sent may still be on its way. */
const LOOK_APART_MS = 500;

/** Looks in a row without a proof from which on nobody is served. One is what any pause of the process costs: its timers run before its sockets are read. */
const MISSES = 2;

/** Looks after which it is tried whether queries are answered again, doubled each time that they are not. */
const FIRST_TRIAL = 5;
const LAST_TRIAL = 320;

/** TCP is asked with every so many looks. */
const STREAM_LOOKS = 10;

/** How often `prove` looks whether answers have come. */
const PROOF_STEP_MS = 5;

/** What one listener can show for itself. */
export interface Proof {
  readonly address: string;
  /** It has read the latest question, and answered it as far as can be told. */
  readonly hasShown: boolean;
  /** It has, or it may yet. */
  readonly isLive: boolean;
  /** The latest question was answered by somebody, and our listener did not read it: rules lead it away. */
  readonly isLedAway: boolean;
  /** The next question. */
  ask(): void;
  close(): void;
}

/**
 * Shows that queries are answered: asked once a second by who renews the dead-man's switch. That it is asked at all shows that the loop turns. For the sockets there is a question of
 * our own to each of them, on its way through the kernel as a pod's is; where a flood has pushed it out, it is enough that the listener reads on.
 *
 * While the switch is off, our question goes where the pods' go, to the cluster DNS, and proves nothing: then the only way to know is to try.
 */
export class Liveness {
  readonly #listeners: Listening;
  readonly #clock: Clock;
  readonly #log: Logger;
  #proofs: readonly Proof[] = [];
  /** The first of those that the proofs are of. */
  #first: UdpListener | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #misses = 0;
  #looksUntilTrial = 0;
  #trial = FIRST_TRIAL;
  #silent: readonly string[] = [];

  constructor({ listeners, clock, log }: LivenessParts) {
    this.#listeners = listeners;
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether the switch may be renewed. Cheap: a datagram for each address. */
  isServing(): boolean {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#lookedAtMs >= LOOK_APART_MS) {
      this.#lookedAtMs = nowMs;
      this.#look();
    }
    return this.#misses < MISSES;
  }

  /**
   * Asks every listener at the start. Resolves when all have answered, when rules of an earlier process lead the questions away (then nothing can be shown before the switch
   * is on), or after `limitMs`.
   */
  async prove(limitMs: number): Promise<void> {
    this.#follow();
    for (const proof of this.#proofs) proof.ask();
    const endMs = this.#clock.nowMs() + limitMs;
    const isOpen = ({ hasShown, isLedAway }: Proof): boolean => !hasShown && !isLedAway;
    while (this.#proofs.some(isOpen) && this.#clock.nowMs() < endMs) await sleep(PROOF_STEP_MS);
  }

  /** The addresses that do not answer; empty while all do. */
  get silent(): readonly string[] {
    return this.#silent;
  }

  close(): void {
    for (const proof of this.#proofs) proof.close();
  }

  #look(): void {
    this.#follow();
    const unproved = this.#proofs.filter(({ isLive }) => !isLive);
    const silent = unproved.filter(({ isLedAway }) => !isLedAway).map(({ address }) => address);
    for (const proof of this.#proofs) proof.ask();
    if (unproved.length === 0) this.#onProof();
    else if (this.#misses >= MISSES) this.#awaitTrial();
    // What was led away says nothing: the switch was off when it was asked, as it is before the first renewal.
    else if (silent.length > 0) this.#onMiss(silent);
  }

  #awaitTrial(): void {
    if (--this.#looksUntilTrial <= 0) this.#misses = 0;
  }

  /** Listeners are others after their addresses were left to another process for a while. */
  #follow(): void {
    const { udp, tcp } = this.#listeners;
    if (udp[0] === this.#first) return;
    this.close();
    this.#first = udp[0];
    this.#proofs = [
      ...udp.map((listener) => new OwnDatagrams(listener)),
      ...tcp.map((listener) => new OwnStream(listener, STREAM_LOOKS)),
    ];
  }

  #onProof(): void {
    this.#misses = 0;
    this.#trial = FIRST_TRIAL;
    if (this.#silent.length > 0) this.#log.info({ listen: this.#silent }, 'answering itself again');
    this.#silent = [];
  }

  #onMiss(silent: readonly string[]): void {
    this.#misses++;
    if (this.#misses < MISSES) return;
    if (this.#silent.length === 0) {
      this.#log.error({ listen: silent }, 'not answering itself: queries go to the cluster DNS until it does');
    }
    this.#silent = silent;
    this.#looksUntilTrial = this.#trial;
    this.#trial = Math.min(2 * this.#trial, LAST_TRIAL);
  }
}
