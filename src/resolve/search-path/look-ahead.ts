import type { AnswerCache } from '../../cache/answer-cache.ts';
import type { Clock } from '../../core/clock.ts';
import { LOOK_AHEADS, LOOK_AHEADS_A_TURN } from '../../core/limits.ts';
import { Portions } from '../../core/portions.ts';
import { hasUnderscore, namespaceAt } from '../../search/cluster-names.ts';
import { HEADER_LENGTH, RCODE_NXDOMAIN, TYPE_A, TYPE_AAAA } from '../../wire/constants.ts';
import type { QueryView } from '../../wire/query.ts';
import { Reply } from '../../wire/reply.ts';
import type { Client } from '../client.ts';
import type { Flight } from '../flight.ts';
import { OwnQuestion } from '../own-question.ts';
import { ANSWERED, HELD } from '../responder.ts';
import type { Zone } from '../zone.ts';
import { CUT_EXISTS, CUT_UNKNOWN, type Cuts } from './cuts.ts';
import { rcodeOf, SearchWalk } from './search-walk.ts';

/** The names of a look-up are not begun again so soon: A and AAAA each once, and not from the names that it led to. */
const AGAIN_MS = 2000;
const REMEMBERED = 1024;
/** A resolver asks its next question as soon as it has the answer to the last. */
const USED_WITHIN_SECONDS = 3;

/** Of so many questions asked ahead no more than that may be of no use, else there is a pause. */
const JUDGED_TOGETHER = 64;
const MOST_USELESS = 48;
const PAUSE_MS = 30_000;

/** Answers names as a client gets them. */
export interface LookUps {
  /**
   * As `Responder.respond` for a whole question, but that nothing is counted as a client's. Not to be called from an upstream's callback, nor while a batch of queries is being answered.
   */
  lookUp(query: QueryView, nowMs: number, client: Client, reply: Reply): number;
}

export interface LookAheadParts {
  cache: AnswerCache;
  clock: Clock;
  cuts: Cuts;
  names: LookUps;
  /** Nothing is known of the namespace of a name that seems to be the first of a path. */
  onUnknown: (query: QueryView, zone: Zone) => void;
  /** Of the names in the cache's keys. */
  seed: number;
}

/**
 * Goes a pod's search path ahead of its resolver: once the first name is known, or thought, to be absent, the next is looked up, and so on for as long as the answer is NXDOMAIN, in the order and with the
 * type that the resolver has. So nothing is asked that it would not ask, and its next question finds an answer, or one that is on its way.
 *
 *     name.ns.svc.Z  ─NXDOMAIN─▶  name.svc.Z  ─NXDOMAIN─▶  name.Z  ─NXDOMAIN, and name has a dot─▶  name
 */
export class LookAhead {
  /** Look-ups gone ahead of. Read by the metrics. */
  begun = 0;
  /** How often nobody was gone ahead of for a while, since hardly any question had been of use. */
  pauses = 0;
  #asked = 0;
  #used = 0;
  readonly #parts: LookAheadParts;
  readonly #own: OwnQuestion;
  readonly #reply = new Reply();
  readonly #hashes = new Int32Array(REMEMBERED);
  readonly #times = new Float64Array(REMEMBERED).fill(Number.NEGATIVE_INFINITY);
  #running = 0;
  /** The last steps that were asked, as long as it is not known whether they were of use. */
  readonly #steps: Step[] = [];
  /** Of the questions judged since the last pause. */
  #judged = 0;
  #useless = 0;
  #pausedUntilMs = 0;
  readonly #turns = new Portions<SearchWalk>(LOOK_AHEADS_A_TURN, (walk) => this.#goOn(walk));

  constructor(parts: LookAheadParts) {
    this.#parts = parts;
    this.#own = new OwnQuestion(parts.seed);
  }

  /**
   * A client has asked for `query`, a name of the cluster zone that is absent where `isAbsent`, else probably so. Where it is the first of a search walk, the others follow in a turn to come.
   */
  consider(query: QueryView, zone: Zone, isAbsent: boolean, nowMs: number): void {
    if ((query.type !== TYPE_A && query.type !== TYPE_AAAA) || nowMs < this.#pausedUntilMs) return;
    const { bytes, nameEnd } = query;
    const start = query.start + HEADER_LENGTH;
    const namespace = namespaceAt(bytes, start, nameEnd, zone.labels);
    // Names of a search path are those of hosts; those with underscores are asked for as they are.
    if (namespace === -1 || namespace === start || hasUnderscore(bytes, start, namespace)) return;
    if (!this.#isFirst(query.nameHash ^ query.type, nowMs)) return;
    // The second name of every search path ends as the first one does, for a namespace that there is not.
    const state = this.#parts.cuts.look(bytes, namespace, nameEnd, nowMs);
    if (state === CUT_UNKNOWN) this.#parts.onUnknown(query, zone);
    if (state !== CUT_EXISTS) return;
    if (this.#running >= LOOK_AHEADS.value) {
      LOOK_AHEADS.hits++;
      return;
    }
    this.#running++;
    this.begun++;
    this.#turns.defer(new SearchWalk(query, namespace, isAbsent, this.#turns));
  }

  /** A client has come to wait for a flight. */
  onJoin({ firstWaiter }: Flight): void {
    const sink = firstWaiter?.sink;
    if (!(sink instanceof SearchWalk) || sink.isJoined) return;
    sink.isJoined = true;
    this.#asked++;
    this.#used++;
    this.#weigh(true, this.#parts.clock.nowMs());
  }

  /** Questions asked ahead, and those of them that a client came to ask as well; seconds later, when it can be told. */
  count(): { asked: number; used: number } {
    const nowMs = this.#parts.clock.nowMs();
    this.#judgeThoseBefore(nowMs - USED_WITHIN_SECONDS * 1000, nowMs);
    return { asked: this.#asked, used: this.#used };
  }

  #judgeThoseBefore(timeMs: number, nowMs: number): void {
    while (this.#steps.length > 0 && this.#steps[0]!.askedMs <= timeMs) this.#judge(this.#steps.shift()!, nowMs);
  }

  #judge({ walk, tail }: Step, nowMs: number): void {
    const { cache } = this.#parts;
    const query = this.#own.write(walk.name, 0, walk.end, tail, walk.name.length, walk.type);
    const at = cache.findExpired(query, nowMs, USED_WITHIN_SECONDS);
    // What was answered by a cut is not kept, and was no question.
    if (at === -1) return;
    this.#asked++;
    const isUsed = cache.memory.hits(at) > 0;
    if (isUsed) this.#used++;
    this.#weigh(isUsed, nowMs);
  }

  #goOn(walk: SearchWalk): void {
    const { clock, names } = this.#parts;
    const nowMs = clock.nowMs();
    this.#note(walk, nowMs);
    while (walk.isAbsent && walk.goOn()) {
      const query = this.#own.write(walk.name, 0, walk.end, walk.tail, walk.name.length, walk.type);
      this.#isFirst(query.nameHash ^ walk.type, nowMs);
      const outcome = names.lookUp(query, nowMs, walk, this.#reply);
      walk.isJoined = false;
      walk.isAsked = outcome === HELD && !walk.isFirst;
      if (outcome === HELD) return;
      walk.isAbsent = outcome === ANSWERED && rcodeOf(this.#reply) === RCODE_NXDOMAIN;
    }
    this.#running--;
  }

  /** Names that are asked fully qualified look like first names of a path: where hardly anybody follows, nobody is gone ahead of for a while. */
  #weigh(isUsed: boolean, nowMs: number): void {
    this.#judged++;
    if (!isUsed) this.#useless++;
    if (this.#judged < JUDGED_TOGETHER) return;
    if (this.#useless > MOST_USELESS) {
      this.#pausedUntilMs = nowMs + PAUSE_MS;
      this.pauses++;
    }
    this.#judged = 0;
    this.#useless = 0;
  }

  /** What was asked last has been answered: whether anybody asks it as well is seen later. */
  #note(walk: SearchWalk, nowMs: number): void {
    if (!walk.isAsked || walk.isJoined) return;
    this.#judgeThoseBefore(nowMs - USED_WITHIN_SECONDS * 1000, nowMs);
    if (this.#steps.length >= LOOK_AHEADS.value) this.#judge(this.#steps.shift()!, nowMs);
    this.#steps.push({ walk, tail: walk.tail, askedMs: nowMs });
  }

  /** Notes a name; false where it was noted a moment ago. */
  #isFirst(hash: number, nowMs: number): boolean {
    const place = hash & (REMEMBERED - 1);
    const isKnown = this.#hashes[place] === hash && nowMs < this.#times[place]! + AGAIN_MS;
    this.#hashes[place] = hash;
    if (!isKnown) this.#times[place] = nowMs;
    return !isKnown;
  }
}

/** A name that was asked ahead. */
interface Step {
  readonly walk: SearchWalk;
  readonly tail: number;
  readonly askedMs: number;
}
