import type { AnswerCache } from '../cache/answer-cache.ts';
import { AnswerDraft } from '../cache/answer-draft.ts';
import { type CacheTraffic, SERVED_STALE, TRIMMED } from '../cache/cache-traffic.ts';
import type { EntryMemory } from '../cache/entry-memory.ts';
import { KIND_FAILURE, KIND_NEGATIVE } from '../cache/entry-memory.ts';
import { CHECKING_DISABLED, DNSSEC_OK } from '../cache/key.ts';
import { FAILURE_SECONDS, Lifetime } from '../cache/lifetime.ts';
import type { Clock } from '../core/clock.ts';
import { CACHED_RECORDS, CNAME_CHAIN } from '../core/limits.ts';
import type { TimerWheel } from '../core/timer-wheel.ts';
import { SOURCE_CACHE, SOURCE_FORWARD } from '../metrics/traffic.ts';
import type { Answerer, Failure } from '../upstream/ask.ts';
import { FLAG_TC, OPTION_EDE, RCODE_NXDOMAIN, RCODE_SERVFAIL, TYPE_A, TYPE_AAAA } from '../wire/constants.ts';
import { findOption } from '../wire/edns.ts';
import { MessageScan } from '../wire/message-scan.ts';
import { PlainTargets } from '../wire/plain-targets.ts';
import { QueryView } from '../wire/query.ts';
import { Reply } from '../wire/reply.ts';
import { ReplyTrim } from '../wire/reply-trim.ts';
import type { Composer } from './composer.ts';
import { extendedError, type Trouble } from './extended-errors.ts';
import type { Flight, FlightControl } from './flight.ts';
import type { Flights } from './flights.ts';
import type { Freshness } from './freshness/freshness.ts';
import { LastGood } from './last-good.ts';
import { StaleRule } from './stale-rule.ts';
import { TransientEntry } from './transient-entry.ts';

export interface DeliveryParts {
  cache: AnswerCache;
  cacheTraffic: CacheTraffic;
  clock: Clock;
  composer: Composer;
  flights: Flights;
  /** Undefined: nothing is known of the cluster. */
  freshness?: Freshness | undefined;
  /** Of the names in the cache's keys. */
  seed: number;
  wheel: TimerWheel;
}

/** What happens when a flight ends: its answer is judged, kept, and given to all who wait, each in its own form. */
export class Delivery implements FlightControl {
  readonly #parts: DeliveryParts;
  readonly #question: QueryView;
  readonly #waiterQuery: QueryView;
  readonly #scan = new MessageScan();
  readonly #lifetime = new Lifetime();
  readonly #draft = new AnswerDraft();
  readonly #reply = new Reply();
  readonly #lastGood: LastGood;
  readonly #staleRule: StaleRule;
  readonly #trim = new ReplyTrim();
  readonly #plainTargets = new PlainTargets();
  /** Its own: while it is given to all who wait, a connection that goes on with its next question may be answered from the resolver's. */
  readonly #transient = new TransientEntry();
  readonly #rewritten = new Uint8Array(65_535);
  /** Whether the reply just read may be stored. */
  #mayKeep = true;
  /** Replies that were no DNS messages although their question matched. Read by the metrics. */
  malformed = 0;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#lastGood = new LastGood(parts);
    this.#staleRule = new StaleRule(parts);
    this.#question = new QueryView(parts.seed);
    this.#waiterQuery = new QueryView(parts.seed);
  }

  onAnswer(flight: Flight, message: Uint8Array, start: number, end: number, upstream: Answerer): void {
    this.#answer(flight, message, start, end, upstream);
    this.#parts.flights.reuseFlight(flight);
  }

  onFailure(flight: Flight, failure: Failure): void {
    this.#fail(flight, failure);
    this.#parts.flights.reuseFlight(flight);
  }

  onPatienceOver(flight: Flight, nowMs: number): void {
    this.#question.read(flight.message, 0, flight.end);
    this.#deliverStale(flight, this.#question, nowMs);
  }

  #answer(flight: Flight, message: Uint8Array, start: number, end: number, upstream: Answerer): void {
    const records = this.#read(flight, message, start, end);
    if (records === undefined) {
      this.malformed++;
      this.#fail(flight, 'malformed');
      return;
    }
    const { cache, clock, freshness } = this.#parts;
    const nowMs = clock.nowMs();
    const question = this.#end(flight);
    const draft = this.#judge(flight, question, records);
    if (draft.kind === KIND_FAILURE) {
      this.#keepFailure(flight, question, nowMs, false);
      if (this.#deliverStale(flight, question, nowMs)) return;
    } else if (flight.isShared) {
      if (flight.zone.cache.keepLastGoodSeconds > 0) this.#lastGood.mend(question, draft, flight.zone, nowMs);
      const at = draft.seconds > 0 ? this.#keep(question, draft, nowMs) : -1;
      if (at !== -1) {
        this.#deliver(flight, cache.memory, at, nowMs, upstream.label);
        return;
      }
    }
    if (freshness !== undefined) draft.capSeconds = Math.min(draft.capSeconds, freshness.capSeconds(question));
    this.#deliverUnkept(flight, question, nowMs, upstream.label);
  }

  /** Offset of the new entry, or -1. */
  #keep(question: QueryView, draft: AnswerDraft, nowMs: number): number {
    const { cache, freshness } = this.#parts;
    if (freshness === undefined) return cache.store(question, draft, nowMs);
    const before = freshness.before(question, nowMs);
    const at = cache.store(question, draft, nowMs);
    if (at !== -1) freshness.confirm(at, question, before, nowMs);
    return at;
  }

  /** The bytes in which the scanned records lie, those of them that belong to the question; undefined where they cannot be read. */
  #read(flight: Flight, message: Uint8Array, start: number, end: number): Uint8Array | undefined {
    const scan = this.#scan;
    this.#mayKeep = true;
    if (!scan.scan(message, start, end)) return undefined;
    if (scan.isPlain) return this.#readPlain(message);
    // Without the question, nothing but the code is used.
    if (scan.questionEnd - start !== flight.questionEnd) return message;
    const trim = this.#trim;
    const { dnssecBits, zone } = flight;
    const wantsAaaa = zone.hasAaaa || dnssecBits === (DNSSEC_OK | CHECKING_DISABLED);
    const length = trim.trim(message, scan, (dnssecBits & DNSSEC_OK) !== 0, wantsAaaa, this.#rewritten);
    const { foreign, isChainLong, isLoop } = trim.relevance;
    if (isChainLong) CNAME_CHAIN.hits++;
    if (foreign > 0) this.#parts.cacheTraffic.count(zone.id, TRIMMED);
    if (length !== 0 && !(length > 0 && scan.scan(this.#rewritten, 0, length))) return undefined;
    // A loop is no answer, and may be mended any time.
    this.#mayKeep = !isChainLong && !(isLoop && !scan.hasAsked);
    return length === 0 ? message : this.#rewritten;
  }

  /** The same for a reply with nothing in it that may not belong: PTR records are brought into a form in which they can rotate. */
  #readPlain(message: Uint8Array): Uint8Array | undefined {
    const length = this.#plainTargets.write(message, this.#scan, this.#rewritten);
    if (length === 0) return message;
    return this.#scan.scan(this.#rewritten, 0, length) ? this.#rewritten : undefined;
  }

  #judge(flight: Flight, question: QueryView, records: Uint8Array): AnswerDraft {
    const scan = this.#scan;
    const draft = this.#draft;
    const { freshness } = this.#parts;
    const policy = freshness === undefined ? flight.zone.cache : freshness.policyOf(flight.zone, question);
    const lifetime = this.#lifetime;
    lifetime.judge(scan, policy, (scan.flags & FLAG_TC) !== 0);
    // A reply that does not repeat the question has its records at other offsets: an error, of which the code is all that counts.
    if (scan.questionEnd - scan.start === flight.questionEnd) draft.takeRecords(scan, records);
    else draft.takeRcode(scan.rcode);
    const ede = findOption(records, scan.optionsStart, scan.optionsEnd, OPTION_EDE);
    if (ede !== -1) draft.setOptions(records, ede, ede + 4 + ((records[ede + 2]! << 8) | records[ede + 3]!));
    draft.kind = lifetime.kind;
    draft.seconds = this.#mayKeep && this.#hasFewRecords() ? lifetime.seconds : 0;
    draft.zone = flight.zone.id;
    // A client must not keep a "no" longer than we may; where nothing is kept its own TTLs stand.
    draft.capSeconds =
      lifetime.kind === KIND_NEGATIVE && lifetime.seconds > 0 ? lifetime.seconds : policy.positiveMaxSeconds;
    draft.isForName = draft.kind === KIND_NEGATIVE && scan.rcode === RCODE_NXDOMAIN && this.#speaksOfName(flight);
    draft.isPrefetched = policy.prefetchHits > 0 && lifetime.kind !== KIND_FAILURE;
    return draft;
  }

  #hasFewRecords(): boolean {
    if (this.#scan.ttlCount <= CACHED_RECORDS.value) return true;
    CACHED_RECORDS.hits++;
    return false;
  }

  /**
   * Whether NXDOMAIN holds for every type of the name that was asked. With a CNAME in front it speaks of the chain's end (RFC 6604, section 3); and
   * the cluster DNS says it to TXT at names that exist, of namespaces for one, so that there only what is said to A or AAAA counts. A zone
   * without AAAA says NODATA to it whatever A was told.
   */
  #speaksOfName({ zone }: Flight): boolean {
    const { hasCname, type } = this.#scan;
    return !hasCname && zone.hasAaaa && (!zone.isCluster || type === TYPE_A || type === TYPE_AAAA);
  }

  /** No answer came, or none that can be read. What is kept from it lasts a second; our own overload is never kept. */
  #fail(flight: Flight, trouble: Trouble): void {
    const nowMs = this.#parts.clock.nowMs();
    const question = this.#end(flight);
    const draft = this.#draft;
    draft.takeRcode(RCODE_SERVFAIL);
    draft.kind = KIND_FAILURE;
    draft.zone = flight.zone.id;
    draft.isForName = false;
    draft.isPrefetched = false;
    draft.seconds = trouble === 'timeout' || trouble === 'unreachable' || trouble === 'malformed' ? FAILURE_SECONDS : 0;
    const ede = extendedError(trouble);
    draft.setOptions(ede, 0, ede.length);
    if (trouble !== 'overload') this.#keepFailure(flight, question, nowMs, true);
    if (this.#deliverStale(flight, question, nowMs)) return;
    this.#deliverUnkept(flight, question, nowMs, 'failure');
  }

  /** Takes the flight from the table; returns its question. */
  #end(flight: Flight): QueryView {
    const { flights, wheel } = this.#parts;
    wheel.clear(flight);
    flights.end(flight);
    this.#question.read(flight.message, 0, flight.end);
    return this.#question;
  }

  /** `isSilent`: no upstream has said anything that can be read. */
  #keepFailure(flight: Flight, question: QueryView, nowMs: number, isSilent: boolean): void {
    const { cache } = this.#parts;
    if (!flight.isShared) return;
    const recheckAtMs = nowMs + FAILURE_SECONDS * 1000;
    if (cache.postpone(question, nowMs, recheckAtMs, flight.zone.cache.staleSeconds, isSilent)) return;
    if (this.#draft.seconds > 0) cache.store(question, this.#draft, nowMs);
  }

  /** False where nothing stale may be given: the waiters wait on. */
  #deliverStale(flight: Flight, question: QueryView, nowMs: number): boolean {
    const { cache, cacheTraffic, composer, flights } = this.#parts;
    const { zone } = flight;
    const at = cache.findExpired(question, nowMs, zone.cache.staleSeconds);
    if (at === -1 || !this.#staleRule.mayServe(at, question, zone, nowMs)) return false;
    const query = this.#waiterQuery;
    for (let waiter = flights.release(flight); waiter !== undefined; waiter = flights.release(flight)) {
      query.read(waiter.message, 0, waiter.end);
      composer.composeStale(query, cache.memory, at, zone.cache.staleTtlSeconds, waiter.isStream, this.#reply);
      cacheTraffic.count(zone.id, SERVED_STALE);
      const durationMs = nowMs - waiter.receivedMs;
      waiter.traffic.response(zone.id, cache.memory.rcode(at), this.#reply.length, durationMs, SOURCE_CACHE);
      waiter.sink.send(this.#reply);
      flights.reuseWaiter(waiter);
    }
    return true;
  }

  #deliverUnkept(flight: Flight, question: QueryView, nowMs: number, origin: string): void {
    this.#transient.write(question, this.#draft, nowMs);
    this.#deliver(flight, this.#transient.memory, 0, nowMs, origin);
  }

  #deliver(flight: Flight, memory: EntryMemory, at: number, nowMs: number, origin: string): void {
    const { composer, flights } = this.#parts;
    const query = this.#waiterQuery;
    for (let waiter = flights.release(flight); waiter !== undefined; waiter = flights.release(flight)) {
      query.read(waiter.message, 0, waiter.end);
      composer.compose(query, memory, at, nowMs, waiter.isStream, origin, this.#reply);
      const durationMs = nowMs - waiter.receivedMs;
      waiter.traffic.response(flight.zone.id, memory.rcode(at), this.#reply.length, durationMs, SOURCE_FORWARD);
      waiter.sink.send(this.#reply);
      flights.reuseWaiter(waiter);
    }
  }
}
