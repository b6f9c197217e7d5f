import { isIPv6 } from 'node:net';
import type { UpstreamAddress } from '../config/config.ts';
import { formatUpstreamAddress } from '../config/upstream-address.ts';
import type { Clock } from '../core/clock.ts';
import { UPSTREAM_IN_FLIGHT } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { Alarm, type TimerWheel } from '../core/timer-wheel.ts';
import { FLAG_TC, RCODE_FORMERR, RCODE_MASK } from '../wire/constants.ts';
import { Durations } from './durations.ts';
import type { Exchange } from './exchange.ts';
import { Health } from './health.ts';
import { Owed } from './owed.ts';
import { Probe, ROOT_QUESTION } from './probe.ts';
import type { RandomIds } from './random-ids.ts';
import { RoundTrips } from './round-trips.ts';
import { TCP_TIMING, TcpPool, type TcpPoolOwner, type TcpTiming } from './tcp-pool.ts';
import type { Protocol, StreamTransport, Transport } from './transport.ts';
import { UdpPool, type UdpPoolOwner } from './udp-pool.ts';

/** Bounds of the hedge delay; what is assumed while too few replies have come to know. */
const HEDGE_MIN_MS = 20;
const HEDGE_MAX_MS = 300;
const HEDGE_FIRST_MS = 100;
const ENOUGH_SAMPLES = 20;
/** So many questions without any reply are silence, however few replies there were before. */
const SILENT_AFTER = 3;

const PROBE_MS = 1000;
/** A server that knows no EDNS is asked without it for so long. */
const PLAIN_MS = 300_000;
/** A TCP upstream whose UDP port is closed is not asked over UDP for so long. */
const UDP_SHUNNED_MS = 10_000;
/** Between two questions to an upstream that is down, probes and clients' together: a client's takes the place of the probe that would be next. */
const DOWN_TRY_MS = 950;

export interface UpstreamParts {
  clock: Clock;
  /** For what is set and cleared for every query. */
  wheel: TimerWheel;
  /** Of coarse ticks: for what is done once a second. */
  slowWheel: TimerWheel;
  log: Logger;
  ids: RandomIds;
  /** 0 to 1. */
  random: () => number;
  timing?: TcpTiming;
  /** Hears what may be the sign of a loop. */
  watch?: UpstreamWatch;
}

/** What an upstream tells that makes it worth a look whether it leads back to us. */
export interface UpstreamWatch {
  /** It answers again after it was down. */
  onBack(upstream: Upstream): void;
  /** It owes too many replies, or did not give one in time. */
  onOverdue(upstream: Upstream): void;
}

/** One server that is asked: its connections and sockets, how long it takes, and whether it is down. */
export class Upstream implements TcpPoolOwner, UdpPoolOwner {
  readonly address: UpstreamAddress;
  /** `127.0.0.1:53`, `[::1]:53`. */
  readonly label: string;
  /** For people: as they write it. */
  readonly name: string;
  /** TCP, TLS or HTTP/2. */
  readonly stream: StreamTransport;
  /** Undefined where the way there is encrypted: nothing may leave by another. */
  readonly udp: UdpPool | undefined;
  readonly health: Health;
  readonly roundTrips = new RoundTrips();
  readonly owed = new Owed();
  readonly durations = new Durations();
  readonly #parts: UpstreamParts;
  readonly #upkeep: Alarm;
  readonly #isStream: boolean;
  readonly #inspectMs: number;
  #lastReplyMs = Number.NEGATIVE_INFINITY;
  #plainUntilMs = Number.NEGATIVE_INFINITY;
  #udpShunnedUntilMs = Number.NEGATIVE_INFINITY;
  #attemptMs = Number.NEGATIVE_INFINITY;
  #cutOff: CutOff = { reason: '', detail: undefined, atMs: Number.NEGATIVE_INFINITY };
  /** Clients' questions that wait for it just now, each until its try is over. */
  waiting = 0;
  /** Its latest refusals in a row to which another upstream knew an answer. */
  refuted = 0;
  /** Read by the metrics. Bad replies by their reason: malformed, id, question, cookie. */
  readonly badReplies = [0, 0, 0, 0];
  truncated = 0;
  doubtful = 0;
  retries = 0;
  rejected = 0;

  constructor(address: UpstreamAddress, parts: UpstreamParts) {
    this.address = address;
    this.label = labelOf(address);
    this.name = formatUpstreamAddress(address);
    this.#parts = parts;
    this.#isStream = address.transport !== 'udp' && address.transport !== 'udp+tcp';
    const { clock, wheel, ids, random, log, timing = TCP_TIMING } = parts;
    this.#inspectMs = timing.inspectMs;
    this.stream = new TcpPool({ address, owner: this, clock, wheel, ids, random, timing });
    const isEncrypted = address.transport === 'tls' || address.transport === 'https';
    this.udp = isEncrypted ? undefined : new UdpPool({ address, owner: this, clock, ids });
    this.health = new Health({
      name: this.name,
      wheel,
      log,
      random,
      probe: () => this.#probe(),
    });
    this.#upkeep = new Alarm((nowMs) => this.#inspect(nowMs));
  }

  get isDown(): boolean {
    return this.health.isDown || this.stream.isPaused;
  }

  /** How it is asked first: the value of the label `transport`. */
  get transport(): Protocol {
    return this.#isStream ? this.stream.proto : 'udp';
  }

  /** All ways there are. */
  get transports(): readonly Transport[] {
    return this.udp === undefined ? [this.stream] : [this.udp, this.stream];
  }

  /** Whether it holds any connection or socket. */
  get isOpen(): boolean {
    return this.connections > 0;
  }

  /** Connections and sockets that are open. */
  get connections(): number {
    return this.stream.size + (this.udp?.size ?? 0);
  }

  /** What was sent and not answered, what nobody waits for any more included. */
  get inFlight(): number {
    return this.stream.inFlight + (this.udp?.inFlight ?? 0);
  }

  /** How long to wait before another way is tried as well: longer than nearly all recent replies took. */
  get hedgeMs(): number {
    if (this.roundTrips.samples < ENOUGH_SAMPLES) return HEDGE_FIRST_MS;
    return Math.min(Math.max(this.roundTrips.p95Ms, HEDGE_MIN_MS), HEDGE_MAX_MS);
  }

  /** Whether anything ever came from it. Silence counts as a round trip, so those do not tell. */
  get hasReplied(): boolean {
    return this.#lastReplyMs > Number.NEGATIVE_INFINITY;
  }

  /** Whether enough replies came to know its round trips. */
  get isKnown(): boolean {
    return this.roundTrips.samples >= ENOUGH_SAMPLES;
  }

  /** For how long it has owed replies, where that is longer than nearly all of them took; else 0. */
  lateMs(nowMs: number): number {
    const owedMs = this.owed.forMs(nowMs);
    return owedMs > this.hedgeMs ? owedMs : 0;
  }

  /** Not just one slow name: it owes several replies, for longer than any should take. */
  isSilent(nowMs: number): boolean {
    return this.owed.count >= SILENT_AFTER && this.owed.forMs(nowMs) > HEDGE_MAX_MS;
  }

  /** It stopped answering: what it owes is to be asked elsewhere. */
  hasStopped(nowMs: number): boolean {
    return this.owed.count >= SILENT_AFTER && this.lateMs(nowMs) > 0;
  }

  /** Whether clients' questions wait for it up to the bound; counts it. */
  isFull(): boolean {
    if (this.waiting < UPSTREAM_IN_FLIGHT.value) return false;
    UPSTREAM_IN_FLIGHT.hits++;
    this.rejected++;
    this.#parts.watch?.onOverdue(this);
    return true;
  }

  /** Asks; false where all there is is full. */
  ask(exchange: Exchange): boolean {
    const nowMs = this.#parts.clock.nowMs();
    exchange.sentMs = nowMs;
    this.#attemptMs = nowMs;
    this.owed.add(nowMs);
    exchange.isPlain = nowMs < this.#plainUntilMs;
    if (!this.#upkeep.isSet) this.#parts.slowWheel.set(this.#upkeep, this.#inspectMs);
    const isAsked = (exchange.prefersUdp && this.askOverUdp(exchange)) || this.askAgain(exchange);
    if (!isAsked) this.rejected++;
    return isAsked;
  }

  /** Over a connection that moves; else UDP; else over whatever connection there is. */
  askAgain(exchange: Exchange): boolean {
    if (!this.#isStream && !exchange.isTruncated) return this.askOverUdp(exchange);
    return this.stream.ask(exchange) || this.askOverUdp(exchange) || this.stream.askAnyhow(exchange);
  }

  askOverUdp(exchange: Exchange): boolean {
    if (this.udp === undefined || exchange.isTruncated) return false;
    if (this.#isStream && this.#parts.clock.nowMs() < this.#udpShunnedUntilMs) return false;
    return this.udp.ask(exchange);
  }

  /** Whether this upstream, which is down, may be asked a client's question: one a second. Saying yes uses it up. */
  takeDownTry(nowMs: number): boolean {
    if (nowMs - this.#attemptMs < DOWN_TRY_MS) return false;
    this.#attemptMs = nowMs;
    this.health.postponeProbe();
    return true;
  }

  /** The time of a try is over, which counts as a round trip as long. The upstream is down for it only if nothing came from it since, over any connection. */
  onSilent(exchange: Exchange): void {
    const nowMs = this.#parts.clock.nowMs();
    const { reason, detail, atMs } = this.#cutOff;
    const isUnreachable = atMs >= exchange.sentMs;
    if (!isUnreachable) this.roundTrips.add(nowMs - exchange.sentMs, nowMs);
    this.#parts.watch?.onOverdue(this);
    if (this.#lastReplyMs >= exchange.sentMs) return;
    // A question that waited for a connection which could not be made: why not is what a person can mend.
    if (isUnreachable) this.health.failed(reason, detail);
    else this.health.failed('timeout');
  }

  onReply(exchange: Exchange, message: Uint8Array, start: number, end: number, roundTripMs: number): void {
    const nowMs = this.#parts.clock.nowMs();
    this.#onAlive(nowMs);
    const rcode = message[start + 3]! & RCODE_MASK;
    // Those also that come too late to be of use, or a slow one would seem as quick as its quickest replies.
    this.roundTrips.add(roundTripMs, nowMs);
    this.durations.add(rcode, roundTripMs);
    if (exchange.isDone) return;
    if (rcode === RCODE_FORMERR && this.#askWithoutOpt(exchange, message, start)) return;
    exchange.onReply(message, start, end, this);
  }

  /** Something came, whatever it says. */
  #onAlive(nowMs: number): void {
    this.#lastReplyMs = nowMs;
    this.owed.clear();
    const wasDown = this.health.isDown;
    this.health.succeeded();
    if (!wasDown) return;
    this.roundTrips.forget();
    this.#parts.watch?.onBack(this);
  }

  onDatagram(exchange: Exchange, message: Uint8Array, start: number, end: number, roundTripMs: number): void {
    const isTruncated = (message[start + 2]! & (FLAG_TC >> 8)) !== 0;
    if (!isTruncated || exchange.isDone) {
      this.onReply(exchange, message, start, end, roundTripMs);
      return;
    }
    this.#onAlive(this.#parts.clock.nowMs());
    this.truncated++;
    this.#askOverTcp(exchange);
  }

  onDoubtfulReply(exchange: Exchange): void {
    this.doubtful++;
    this.#askOverTcp(exchange);
  }

  #askOverTcp(exchange: Exchange): void {
    if (!exchange.isOpen || exchange.isTruncated) return;
    exchange.isTruncated = true;
    if (this.stream.ask(exchange) || exchange.places > 0 || this.stream.askAnyhow(exchange)) return;
    exchange.onUnreachable();
  }

  /** RFC 6891, section 6.2.2: a FORMERR without OPT tells of a server that knows no EDNS. */
  #askWithoutOpt(exchange: Exchange, message: Uint8Array, start: number): boolean {
    if (exchange.isPlain) {
      // So it was the question that it did not like.
      this.#plainUntilMs = Number.NEGATIVE_INFINITY;
      return false;
    }
    const hasRecords = message[start + 10] !== 0 || message[start + 11] !== 0;
    if (hasRecords || !exchange.isOpen || exchange.end === exchange.questionEnd) return false;
    this.#plainUntilMs = this.#parts.clock.nowMs() + PLAIN_MS;
    exchange.isPlain = true;
    return this.askAgain(exchange);
  }

  onBadReply(reason: number): void {
    this.badReplies[-1 - reason]!++;
  }

  onStreamFailed(reason: string, detail?: string): void {
    if (this.#isStream) this.#cut(reason, detail);
  }

  onUdpFailed(reason: string): void {
    if (this.#isStream) this.#udpShunnedUntilMs = this.#parts.clock.nowMs() + UDP_SHUNNED_MS;
    else this.#cut(reason);
  }

  #cut(reason: string, detail?: string): void {
    this.#cutOff = { reason, detail, atMs: this.#parts.clock.nowMs() };
    this.health.failed(reason, detail);
  }

  onLost(exchange: Exchange): void {
    if (this.#isStream && this.stream.askAnyhow(exchange)) return;
    exchange.onUnreachable();
  }

  warmUp(): Exchange {
    return this.#ownQuestion(() => {});
  }

  #probe(): void {
    if (this.stream.isPaused) return;
    const probe = this.#ownQuestion((isAnswered) => {
      if (isAnswered) return;
      this.onSilent(probe);
      this.health.probeFailed();
    });
    if (!this.ask(probe)) probe.onUnreachable();
  }

  #ownQuestion(onEnd: (isAnswered: boolean) => void): Probe {
    const probe = new Probe(ROOT_QUESTION, (isAnswered) => {
      this.#parts.wheel.clear(probe);
      onEnd(isAnswered);
    });
    this.#parts.wheel.set(probe, PROBE_MS);
    return probe;
  }

  #inspect(nowMs: number): void {
    for (const transport of this.transports) transport.inspect(nowMs);
    if (this.isOpen) this.#parts.slowWheel.set(this.#upkeep, this.#inspectMs);
  }

  /** Takes no more questions; what is in flight is still answered. */
  drain(): void {
    this.health.stop();
    for (const transport of this.transports) transport.drain();
  }

  /** Ends all at once; what is in flight gets no answer. */
  close(): void {
    this.drain();
    for (const transport of this.transports) transport.close();
    this.#parts.slowWheel.clear(this.#upkeep);
  }
}

/** No connection could be made, or no datagram sent. */
interface CutOff {
  readonly reason: string;
  readonly detail: string | undefined;
  readonly atMs: number;
}

function labelOf({ host, port }: UpstreamAddress): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
