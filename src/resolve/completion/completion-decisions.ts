import type { Clock } from '../../core/clock.ts';
import { COMPLETION_WAITERS, COMPLETIONS, COMPLETIONS_A_TURN, COMPLETIONS_ASKING } from '../../core/limits.ts';
import { Portions } from '../../core/portions.ts';
import type { TimerWheel } from '../../core/timer-wheel.ts';
import { areNames, candidateName, eventSlots } from '../../search/candidates.ts';
import type { KnownServices } from '../../search/known-services.ts';
import type { PodSearch } from '../../search/pod-search.ts';
import type { SearchedName } from '../../search/searched-name.ts';
import type { ServiceEvents } from '../../search/service-events.ts';
import { HEADER_LENGTH, TYPE_A, TYPE_AAAA } from '../../wire/constants.ts';
import type { QueryView } from '../../wire/query.ts';
import { ANSWERED, HELD } from '../responder.ts';
import { CandidateAsk } from './candidate-ask.ts';
import type { CandidateLookUp } from './candidate-look-up.ts';
import { Decision, type DecisionState, TYPES } from './completion-decision.ts';
import type { CompletionWaiter } from './completion-waiter.ts';
import { ABSENT, ADDRESSES, FAILED } from './found-answer.ts';

/** Some resolvers give up after a second: what is not decided until then is answered as it is asked, which is true as well. */
const DECIDE_MS = 800;

export interface DecisionsParts {
  clock: Clock;
  /** The cluster's zone, an uncompressed name, and how many labels it has, the root not counted. */
  cluster: { zone: Uint8Array; zoneLabels: number };
  events: ServiceEvents;
  lookUp: CandidateLookUp;
  /** A decision that clients wait for was made. Called from a turn of its own, or from a timer. */
  onDecided: (decision: Decision) => void;
  services: KnownServices;
  wheel: TimerWheel;
}

/** What is decided about names that are searched for, and the asking that leads to it. The oldest go first. */
export class Decisions {
  readonly #parts: DecisionsParts;
  readonly #byKey = new Map<number, Decision>();
  /** Decisions whose look-ups have come. */
  readonly #turns = new Portions<Decision>(COMPLETIONS_A_TURN, (decision) => this.#goOn(decision));
  readonly #onSlow = (decision: Decision): void => this.#decide(decision, 'slow');
  #asking = 0;
  #waiters = 0;

  constructor(parts: DecisionsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** What is decided about the name in the query, whose parts `searched` has read; undefined where nothing is to be decided, or there is no room. */
  of(query: QueryView, searched: SearchedName, search: PodSearch, nowMs: number): Decision | undefined {
    const { events, services } = this.#parts;
    const { bytes } = query;
    if (search.isOfServices && services.isCurrent && services.has(bytes, searched.lastLabelAt)) return undefined;
    const start = query.start + HEADER_LENGTH;
    const key = (query.nameHash ^ Math.imul(search.id, 0x9e3779b1)) | 0;
    const there = this.#byKey.get(key);
    const before = there?.isAbout(bytes, start, searched.length, search) ? there : undefined;
    if (before !== undefined && !before.isDue(nowMs, events)) return before;
    return this.#begin(key, bytes, start, searched.length, search, before, nowMs);
  }

  /** True where another client may wait; counts it where not. */
  hasRoomToWait(): boolean {
    if (this.#waiters < COMPLETION_WAITERS.value) return true;
    COMPLETION_WAITERS.hits++;
    return false;
  }

  wait(decision: Decision, waiter: CompletionWaiter): void {
    if (decision.lastWaiter === undefined) decision.firstWaiter = waiter;
    else decision.lastWaiter.next = waiter;
    decision.lastWaiter = waiter;
    this.#waiters++;
  }

  /** Takes the waiter that has waited longest; undefined where none is left. */
  release(decision: Decision): CompletionWaiter | undefined {
    const waiter = decision.firstWaiter;
    if (waiter === undefined) return undefined;
    decision.firstWaiter = waiter.next;
    if (waiter.next === undefined) decision.lastWaiter = undefined;
    this.#waiters--;
    return waiter;
  }

  #begin(
    key: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    search: PodSearch,
    before: Decision | undefined,
    nowMs: number,
  ): Decision | undefined {
    const { cluster, events, wheel } = this.#parts;
    if (!areNames(length, search)) return undefined;
    if (this.#asking >= COMPLETIONS_ASKING.value) {
      COMPLETIONS_ASKING.hits++;
      return undefined;
    }
    const slots = before?.slots ?? eventSlots(bytes, start, length, search, cluster, events);
    const name = candidateName(bytes, start, length, search, 0)!;
    const decision = new Decision({ key, search, name, length, slots, nowMs, onSlow: this.#onSlow });
    this.#keep(decision);
    this.#asking++;
    this.#ask(decision, nowMs);
    if (decision.state === 'asking') wheel.set(decision, DECIDE_MS);
    return decision;
  }

  #keep(decision: Decision): void {
    const byKey = this.#byKey;
    byKey.delete(decision.key);
    if (byKey.size >= COMPLETIONS.value) {
      COMPLETIONS.hits++;
      for (const oldest of byKey.keys()) {
        byKey.delete(oldest);
        break;
      }
    }
    byKey.set(decision.key, decision);
  }

  /** Goes from candidate to candidate as far as that is known at once. */
  #ask(decision: Decision, nowMs: number): void {
    while (decision.state === 'asking') {
      this.#askBoth(decision, nowMs);
      if (decision.pending > 0) return;
      this.#judge(decision);
    }
  }

  /** Both have come. Where the candidate does not exist, the next one is the decision's. */
  #judge(decision: Decision): void {
    const state = decision.judge();
    if (state !== 'asking') {
      this.#decide(decision, state);
      return;
    }
    const { name, length, search, index } = decision;
    const next = candidateName(name, 0, length, search, index + 1);
    if (next === undefined) this.#decide(decision, 'absent');
    else decision.goTo(index + 1, next);
  }

  #askBoth(decision: Decision, nowMs: number): void {
    const { lookUp } = this.#parts;
    const { index } = decision;
    for (let i = 0; i < TYPES; i++) {
      const type = i === 0 ? TYPE_A : TYPE_AAAA;
      if (lookUp.inCache(decision.name, type, nowMs, false)) {
        this.#note(decision, i);
        continue;
      }
      const take = (message: Uint8Array | undefined): void => this.#take(decision, index, i, message);
      const outcome = lookUp.ask(nowMs, new CandidateAsk(take));
      if (outcome === ANSWERED) this.#note(decision, i);
      else if (outcome === HELD) decision.pending++;
      else decision.statuses[i] = FAILED;
    }
    // Nothing that is still to come changes it.
    if (decision.isOwn) decision.pending = 0;
  }

  /** One answer has come; the rest is done in another turn. */
  #take(decision: Decision, index: number, i: number, message: Uint8Array | undefined): void {
    if (decision.state !== 'asking' || decision.index !== index) return;
    if (message === undefined) {
      decision.statuses[i] = FAILED;
    } else {
      this.#parts.lookUp.read(message, message.length);
      this.#note(decision, i);
      decision.messages[i] = message;
    }
    if (--decision.pending === 0 || decision.isOwn) this.#turns.defer(decision);
  }

  /** What the look-up has found. */
  #note(decision: Decision, i: number): void {
    const { found } = this.#parts.lookUp;
    decision.statuses[i] = found.status;
    if (found.status === ABSENT) decision.absentSeconds = Math.min(decision.absentSeconds, found.ttlSeconds);
    if (found.status === ADDRESSES) decision.recordsLength = Math.max(decision.recordsLength, found.recordsLength);
  }

  #goOn(decision: Decision): void {
    if (decision.state !== 'asking') return;
    this.#judge(decision);
    this.#ask(decision, this.#parts.clock.nowMs());
  }

  #decide(decision: Decision, state: DecisionState): void {
    const { clock, events, onDecided, wheel } = this.#parts;
    wheel.clear(decision);
    this.#asking--;
    decision.decide(state, clock.nowMs(), events);
    if (decision.firstWaiter !== undefined) onDecided(decision);
    else decision.messages = [undefined, undefined];
  }
}
