import { Timer } from '../../core/timer-wheel.ts';
import type { PodSearch } from '../../search/pod-search.ts';
import type { ServiceEvents } from '../../search/service-events.ts';
import { equalFolded } from '../../wire/name.ts';
import type { CompletionWaiter } from './completion-waiter.ts';
import { ABSENT, ADDRESSES, FAILED, UNKNOWN } from './found-answer.ts';

/** What is done about a name. `asking`: not known yet; `complete`: answered for the candidate; everything else is answered as it is asked, and says why. */
export type DecisionState =
  | 'asking'
  | 'complete'
  | 'own' // the first name that the search makes exists, or fails by itself
  | 'absent' // no candidate exists
  | 'no-address' // a candidate exists, but has no address of either family: some resolvers stop there, others walk on
  | 'failed' // a candidate has no address, and one of the two look-ups failed
  | 'slow'; // not decided while resolvers wait

/** Both types of one candidate, by index. */
export const TYPES = 2;

/** How long a decision holds at the most: A and AAAA must get the same, and some resolvers ask again after 5 s. */
const LIFE_MS = 5000;
/** How long at the least, and right after a change, which the cluster DNS may not know of yet. */
const SHORT_LIFE_MS = 1000;

export interface DecisionParts {
  key: number;
  search: PodSearch;
  /** Of the first candidate, uncompressed. */
  name: Uint8Array;
  /** Octets of what was typed. */
  length: number;
  slots: readonly number[];
  nowMs: number;
  /** Resolvers do not wait much longer. */
  onSlow: (decision: Decision) => void;
}

/**
 * What is done about one name that was typed in pods that search alike: for A and for AAAA together, since most resolvers fail where they contradict each other.
 */
export class Decision extends Timer {
  readonly key: number;
  readonly search: PodSearch;
  /** Octets of what was typed. */
  readonly length: number;
  readonly slots: readonly number[];
  readonly startedMs: number;
  state: DecisionState = 'asking';
  /** Which candidate is asked for, or was found. */
  index = 0;
  /** Its name, uncompressed; in the letters of the last client that asked. */
  name: Uint8Array;
  /** Of A and AAAA. */
  readonly statuses = [UNKNOWN, UNKNOWN];
  /** Octets of records in the longer one of the two answers. */
  recordsLength = 0;
  /** How much longer all that is said of candidates that do not exist may be believed. */
  absentSeconds = Number.POSITIVE_INFINITY;
  /** Answers that the cache has not, for those who wait. */
  messages: [Uint8Array | undefined, Uint8Array | undefined] = [undefined, undefined];
  /** Types of this candidate whose answers are on their way. */
  pending = 0;
  firstWaiter: CompletionWaiter | undefined = undefined;
  lastWaiter: CompletionWaiter | undefined = undefined;
  readonly #onSlow: (decision: Decision) => void;
  #freshUntilMs = Number.POSITIVE_INFINITY;

  constructor({ key, search, name, length, slots, nowMs, onSlow }: DecisionParts) {
    super();
    this.key = key;
    this.search = search;
    this.name = name;
    this.length = length;
    this.slots = slots;
    this.startedMs = nowMs;
    this.#onSlow = onSlow;
  }

  /** Whether it is about what was typed: the first `length` octets at `start`, in any case. */
  isAbout(bytes: Uint8Array, start: number, length: number, search: PodSearch): boolean {
    return search === this.search && length === this.length && equalFolded(bytes, start, this.name, 0, length);
  }

  /** Whether it must be made anew: its time is over, or a Service changed that it speaks of. */
  isDue(nowMs: number, events: ServiceEvents): boolean {
    if (this.state === 'asking') return false;
    if (nowMs >= this.#freshUntilMs) return true;
    for (const slot of this.slots) if (events.lastMs(slot) >= this.startedMs) return true;
    return false;
  }

  /** Goes on to another candidate. */
  goTo(index: number, name: Uint8Array): void {
    this.index = index;
    this.name = name;
    this.statuses.fill(UNKNOWN);
    this.messages = [undefined, undefined];
    this.recordsLength = 0;
  }

  /** The name that the client asks for exists, or fails by itself. */
  get isOwn(): boolean {
    return this.index === 0 && this.statuses.some((status) => status !== UNKNOWN && status !== ABSENT);
  }

  /**
   * What the two look-ups of this candidate say: 'asking', the next candidate is to be asked. Only NXDOMAIN for both types leads on, as it does in every resolver. The first
   * candidate is what the client asks for itself.
   */
  judge(): DecisionState {
    const [a, aaaa] = this.statuses;
    if (a === ABSENT && aaaa === ABSENT) return 'asking';
    if (this.index === 0) return 'own';
    if (a === ADDRESSES || aaaa === ADDRESSES) return 'complete';
    return a === FAILED || aaaa === FAILED ? 'failed' : 'no-address';
  }

  decide(state: DecisionState, nowMs: number, events: ServiceEvents): void {
    this.state = state;
    const isJustChanged = this.slots.some((slot) => this.startedMs - events.lastMs(slot) < LIFE_MS);
    const lifeMs = isJustChanged ? SHORT_LIFE_MS : Math.min(LIFE_MS, this.absentSeconds * 1000);
    this.#freshUntilMs = nowMs + Math.max(SHORT_LIFE_MS, lifeMs);
  }

  /** It was wrong: the next query makes it anew. */
  expire(): void {
    this.#freshUntilMs = Number.NEGATIVE_INFINITY;
  }

  override onTimeout(): void {
    this.#onSlow(this);
  }
}
