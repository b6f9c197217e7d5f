import { type CacheTraffic, HIT_SUCCESS } from '../../cache/cache-traffic.ts';
import { SOURCE_CACHE, SOURCE_FORWARD } from '../../metrics/traffic.ts';
import { MAPPED_BYTES } from '../../native/sockaddr.ts';
import type { PodClients } from '../../search/pod-clients.ts';
import { SearchedName } from '../../search/searched-name.ts';
import {
  CLASS_IN,
  FLAG_CD,
  FLAG_RD,
  HEADER_LENGTH,
  RCODE_MASK,
  RCODE_NOERROR,
  RCODE_SERVFAIL,
  TYPE_A,
  TYPE_AAAA,
} from '../../wire/constants.ts';
import { copyBytes } from '../../wire/copy.ts';
import { QueryView } from '../../wire/query.ts';
import { Reply } from '../../wire/reply.ts';
import type { Client, ReplySink } from '../client.ts';
import type { QueryLog } from '../query-log.ts';
import { ANSWERED, DROPPED, HELD } from '../responder.ts';
import { CandidateAsk } from './candidate-ask.ts';
import { CandidateLookUp, type CandidateLookUpParts } from './candidate-look-up.ts';
import { CompletedAnswer, fitsWhole } from './completed-answer.ts';
import type { CompletionCounts } from './completion-counts.ts';
import type { Decision } from './completion-decision.ts';
import { Decisions, type DecisionsParts } from './completion-decisions.ts';
import { CompletionWaiter } from './completion-waiter.ts';
import { ABSENT, ADDRESSES, FAILED, NO_DATA } from './found-answer.ts';
import { HastyClient } from './hasty-client.ts';

/** What `complete` says of a query that is to be answered as all others are. */
export const NOT_COMPLETED = -1;

const NOTHING = new Uint8Array(0);

/** Answers a query as it stands, whoever asks; `CacheResponder` fulfils it. */
export interface NaturalAnswers {
  answerNaturally(query: QueryView, nowMs: number, client: Client, reply: Reply): number;
}

export interface CompletionParts extends CandidateLookUpParts, Omit<DecisionsParts, 'lookUp' | 'onDecided'> {
  cacheTraffic: CacheTraffic;
  counts: CompletionCounts;
  natural: NaturalAnswers;
  pods: PodClients;
  queryLog: QueryLog;
}

/**
 * The first query of a pod's search, answered as its last one would be: a CNAME from the name that was asked to the first candidate that exists, and what that one has.
 *
 *   www.example.com.team1.svc.Z. A ──▶ known pod, first suffix, few dots ──▶ decision ──▶ www.example.com.team1.svc.Z. CNAME www.example.com.
 *                                          │ no                               │ none exists, or no answer      www.example.com. A …
 *                                          ▼                                  ▼
 *                                       as it is asked ◀───────────────────────
 *
 * It is called only where nothing says that the name itself exists. What is held is answered in turns of its own: neither a batch of queries nor an upstream's answer may
 * be disturbed.
 */
export class Completion {
  readonly counts: CompletionCounts;
  readonly decisions: Decisions;
  readonly #parts: CompletionParts;
  readonly #lookUp: CandidateLookUp;
  readonly #answer: CompletedAnswer;
  readonly #searched = new SearchedName();
  readonly #address = new Uint8Array(MAPPED_BYTES);
  readonly #waiterQuery: QueryView;
  readonly #reply = new Reply();

  constructor(parts: CompletionParts) {
    this.#parts = parts;
    this.counts = parts.counts;
    this.#lookUp = new CandidateLookUp(parts);
    this.#answer = new CompletedAnswer(parts.composer);
    this.#waiterQuery = new QueryView(parts.seed);
    this.decisions = new Decisions({ ...parts, lookUp: this.#lookUp, onDecided: (decision) => this.#settle(decision) });
  }

  /** ANSWERED, HELD or DROPPED, as `Responder.respond` has them, or NOT_COMPLETED. */
  complete(query: QueryView, nowMs: number, client: Client, reply: Reply): number {
    if (query.type !== TYPE_A && query.type !== TYPE_AAAA) return NOT_COMPLETED;
    if (query.class !== CLASS_IN || query.dnssecOk || (query.flags & (FLAG_RD | FLAG_CD)) !== FLAG_RD)
      return NOT_COMPLETED;
    const { pods } = this.#parts;
    client.readAddress(this.#address);
    const search = pods.find(this.#address, nowMs);
    if (search === undefined) return NOT_COMPLETED;
    const searched = this.#searched;
    const start = query.start + HEADER_LENGTH;
    if (!searched.read(query.bytes, start, query.nameEnd, search)) return NOT_COMPLETED;
    const decision = this.decisions.of(query, searched, search, nowMs);
    if (decision === undefined) return NOT_COMPLETED;
    if (decision.state === 'asking') return this.#hold(decision, query, nowMs, client);
    return this.#give(decision, query, nowMs, nowMs, client, reply);
  }

  #hold(decision: Decision, query: QueryView, nowMs: number, client: Client): number {
    if (!this.decisions.hasRoomToWait()) return NOT_COMPLETED;
    const sink = client.hold();
    if (sink === undefined) return DROPPED;
    this.decisions.wait(decision, this.#waiterOf(query, client, sink, nowMs));
    return HELD;
  }

  #waiterOf(query: QueryView, client: Client, sink: ReplySink, receivedMs: number): CompletionWaiter {
    const peer = this.#parts.queryLog.isOn ? client.peer : '';
    return new CompletionWaiter(query, client, sink, receivedMs, peer);
  }

  /** Answers those who waited for the decision. */
  #settle(decision: Decision): void {
    const query = this.#waiterQuery;
    const reply = this.#reply;
    const nowMs = this.#parts.clock.nowMs();
    for (
      let waiter = this.decisions.release(decision);
      waiter !== undefined;
      waiter = this.decisions.release(decision)
    ) {
      query.read(waiter.message, 0, waiter.message.length);
      let outcome = this.#give(decision, query, waiter.receivedMs, nowMs, waiter, reply);
      if (outcome === NOT_COMPLETED) outcome = this.#parts.natural.answerNaturally(query, nowMs, waiter, reply);
      if (outcome === ANSWERED) waiter.sink.send(reply);
      else if (outcome === DROPPED) waiter.sink.drop();
    }
    decision.messages = [undefined, undefined];
  }

  #give(decision: Decision, query: QueryView, receivedMs: number, nowMs: number, client: Client, reply: Reply): number {
    const { counts } = this;
    if (decision.state !== 'complete') {
      counts.count(decision.state);
      return NOT_COMPLETED;
    }
    const { name } = decision;
    if (!fitsWhole(query, client.isStream, name.length, decision.recordsLength)) {
      counts.count('large');
      return NOT_COMPLETED;
    }
    const lookUp = this.#lookUp;
    const isWarm = lookUp.inCache(name, query.type, nowMs, true);
    if (!isWarm) {
      const message = decision.messages[query.type === TYPE_A ? 0 : 1];
      if (message !== undefined) lookUp.read(message, message.length);
      else {
        const outcome = this.#askTarget(decision, query, receivedMs, nowMs, client);
        if (outcome !== ANSWERED) return outcome;
      }
    }
    return this.#compose(decision, query, receivedMs, nowMs, client, isWarm, reply);
  }

  /** What was found last, as the answer to the query. */
  #compose(
    decision: Decision,
    query: QueryView,
    receivedMs: number,
    nowMs: number,
    client: Client,
    isWarm: boolean,
    reply: Reply,
  ): number {
    const { cacheTraffic, composer, names, queryLog } = this.#parts;
    const { found } = this.#lookUp;
    const { name, statuses } = decision;
    if (found.status === NO_DATA || found.status === ABSENT) {
      if (statuses[query.type === TYPE_A ? 0 : 1] === ADDRESSES) {
        // It has gone.
        decision.expire();
        this.counts.count('gone');
        return NOT_COMPLETED;
      }
      return this.#sayNoData(query, nowMs, client, reply);
    }
    // It may have grown since: then both types are too large from now on.
    decision.recordsLength = Math.max(decision.recordsLength, found.recordsLength);
    if (!fitsWhole(query, client.isStream, name.length, found.recordsLength)) {
      this.counts.count('large');
      return NOT_COMPLETED;
    }
    // The letters of the query are given back in the name that it leads to, whoever has asked since.
    copyBytes(query.bytes, query.start + HEADER_LENGTH, query.start + HEADER_LENGTH + decision.length, name, 0);
    const zone = names.zoneId(query);
    client.traffic.request(zone, query.type, query.end - query.start, false);
    if (queryLog.isOn) queryLog.note(query, zone, client);
    const isFailed =
      found.status === FAILED || !this.#answer.compose(query, name, found, isWarm ? 'cache' : 'search', reply);
    if (isFailed) composer.composeRcode(query, RCODE_SERVFAIL, NOTHING, reply);
    const rcode = isFailed ? RCODE_SERVFAIL : RCODE_NOERROR;
    const source = isWarm && receivedMs === nowMs ? SOURCE_CACHE : SOURCE_FORWARD;
    client.traffic.response(zone, rcode, reply.length, nowMs - receivedMs, source);
    if (source === SOURCE_CACHE) cacheTraffic.count(zone, HIT_SUCCESS);
    this.counts.count(isFailed ? 'servfail' : 'completed');
    return ANSWERED;
  }

  /**
   * The candidate has nothing of this type, but of the other. NODATA of the first name itself, not of what a CNAME leads to: for that, glibc would not go on to other names that have this
   * type, as it does when it asks for one type alone. It is the natural answer with another code, or a reply without records where that is not at hand.
   */
  #sayNoData(query: QueryView, nowMs: number, client: Client, reply: Reply): number {
    const { composer, names, natural } = this.#parts;
    this.counts.count('no-data');
    if (natural.answerNaturally(query, nowMs, new HastyClient(client), reply) === ANSWERED) {
      // NXDOMAIN; or a failure, since nothing more can be asked now.
      reply.head[reply.headStart + 3]! &= ~RCODE_MASK;
    } else {
      composer.composeRcode(query, RCODE_NOERROR, NOTHING, reply);
      client.traffic.response(names.zoneId(query), RCODE_NOERROR, reply.length, 0, SOURCE_CACHE);
    }
    return ANSWERED;
  }

  /** The target's answer is in the cache no more, or never was because it may not be kept. ANSWERED: it is found now. */
  #askTarget(decision: Decision, query: QueryView, receivedMs: number, nowMs: number, client: Client): number {
    if (!this.decisions.hasRoomToWait()) return NOT_COMPLETED;
    let waiter: CompletionWaiter | undefined;
    const hold = (): boolean => {
      const sink = client.hold();
      if (sink !== undefined) waiter = this.#waiterOf(query, client, sink, receivedMs);
      return sink !== undefined;
    };
    const take = (message: Uint8Array | undefined): void => {
      if (waiter !== undefined) this.#finish(decision, waiter, message);
    };
    return this.#lookUp.ask(nowMs, new CandidateAsk(take, hold));
  }

  /** The answer of the target has come for one client. */
  #finish(decision: Decision, waiter: CompletionWaiter, message: Uint8Array | undefined): void {
    const query = this.#waiterQuery;
    const reply = this.#reply;
    const nowMs = this.#parts.clock.nowMs();
    query.read(waiter.message, 0, waiter.message.length);
    if (message === undefined) this.#lookUp.found.status = FAILED;
    else this.#lookUp.read(message, message.length);
    let outcome = this.#compose(decision, query, waiter.receivedMs, nowMs, waiter, false, reply);
    if (outcome === NOT_COMPLETED) outcome = this.#parts.natural.answerNaturally(query, nowMs, waiter, reply);
    if (outcome === ANSWERED) waiter.sink.send(reply);
    else if (outcome === DROPPED) waiter.sink.drop();
  }
}
