import type { AnswerCache } from '../cache/answer-cache.ts';
import type { Clock } from '../core/clock.ts';
import { LOOK_AHEADS, LOOK_AHEADS_A_TURN } from '../core/limits.ts';
import { Portions } from '../core/portions.ts';
import { Traffic } from '../metrics/traffic.ts';
import { namespaceAt } from '../search/cluster-names.ts';
import { HEADER_LENGTH, RCODE_MASK, RCODE_NXDOMAIN, TYPE_A, TYPE_AAAA } from '../wire/constants.ts';
import { copyBytes } from '../wire/copy.ts';
import type { QueryView } from '../wire/query.ts';
import { Reply } from '../wire/reply.ts';
import type { Client } from './client.ts';
import { CUT_EXISTS, type Cuts } from './cuts.ts';
import type { Flight } from './flight.ts';
import { OwnClient } from './own-client.ts';
import { OwnQuestion } from './own-question.ts';
import { ANSWERED, HELD } from './responder.ts';
import type { Zone } from './zone.ts';

/** Of the usual `options ndots:5`: a name with so many dots was asked as it is before it was searched. */
const NDOTS = 5;
/** The names of a look-up are not begun again so soon: A and AAAA each once, and not from the names that it led to. */
const AGAIN_MS = 2000;
const REMEMBERED = 1024;
/** A resolver asks its next question as soon as it has the answer to the last. */
const USED_WITHIN_SECONDS = 3;
const UNDERSCORE = 0x5f;

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
  readonly #turns = new Portions<Path>(LOOK_AHEADS_A_TURN, (path) => this.#goOn(path));

  constructor(parts: LookAheadParts) {
    this.#parts = parts;
    this.#own = new OwnQuestion(parts.seed);
  }

  /**
   * A client has asked for `query`, a name of the cluster zone that is absent where `isAbsent`, else probably so. Where it is the first of a search path, the others follow in a turn to come.
   */
  consider(query: QueryView, zone: Zone, isAbsent: boolean, nowMs: number): void {
    if (query.type !== TYPE_A && query.type !== TYPE_AAAA) return;
    const { bytes, nameEnd } = query;
    const start = query.start + HEADER_LENGTH;
    const namespace = namespaceAt(bytes, start, nameEnd, zone.labels);
    if (namespace === -1 || namespace === start || !isTyped(bytes, start, namespace)) return;
    if (!this.#isFirst(query.nameHash ^ query.type, nowMs)) return;
    // The second name of every search path ends as the first one does, for a namespace that there is not.
    if (this.#parts.cuts.look(bytes, namespace, nameEnd, nowMs) !== CUT_EXISTS) return;
    if (this.#running >= LOOK_AHEADS.value) {
      LOOK_AHEADS.hits++;
      return;
    }
    this.#running++;
    this.begun++;
    this.#turns.defer(new Path(query, namespace, isAbsent, this.#turns));
  }

  /** A client has come to wait for a flight. */
  onJoin({ firstWaiter }: Flight): void {
    const sink = firstWaiter?.sink;
    if (!(sink instanceof Path) || sink.isJoined) return;
    sink.isJoined = true;
    this.#asked++;
    this.#used++;
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

  #judge({ path, tail }: Step, nowMs: number): void {
    const { cache } = this.#parts;
    const query = this.#own.write(path.name, 0, path.end, tail, path.name.length, path.type);
    const at = cache.findExpired(query, nowMs, USED_WITHIN_SECONDS);
    // What was answered by a cut is not kept, and was no question.
    if (at === -1) return;
    this.#asked++;
    if (cache.memory.hits(at) > 0) this.#used++;
  }

  #goOn(path: Path): void {
    const { clock, names } = this.#parts;
    const nowMs = clock.nowMs();
    this.#note(path, nowMs);
    while (path.isAbsent && path.goOn()) {
      const query = this.#own.write(path.name, 0, path.end, path.tail, path.name.length, path.type);
      this.#isFirst(query.nameHash ^ path.type, nowMs);
      const outcome = names.lookUp(query, nowMs, path, this.#reply);
      path.isJoined = false;
      path.isAsked = outcome === HELD && !path.isFirst;
      if (outcome === HELD) return;
      path.isAbsent = outcome === ANSWERED && rcodeOf(this.#reply) === RCODE_NXDOMAIN;
    }
    this.#running--;
  }

  /** What was asked last has been answered: whether anybody asks it as well is seen later. */
  #note(path: Path, nowMs: number): void {
    if (!path.isAsked || path.isJoined) return;
    this.#judgeThoseBefore(nowMs - USED_WITHIN_SECONDS * 1000, nowMs);
    if (this.#steps.length >= LOOK_AHEADS.value) this.#judge(this.#steps.shift()!, nowMs);
    this.#steps.push({ path, tail: path.tail, askedMs: nowMs });
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
  readonly path: Path;
  readonly tail: number;
  readonly askedMs: number;
}

/** No listener's: what is asked ahead is counted when a client asks it. */
const AHEAD = new Traffic();

/** One look-up on its way down the search path; waits for answers as a client does. */
class Path extends OwnClient {
  /** The first name of the path. */
  readonly name: Uint8Array;
  /** What was typed lies in [0, end) of it; what stands behind that now, from `tail` on. */
  readonly end: number;
  tail: number;
  readonly type: number;
  /** What was looked up last does not exist. */
  isAbsent = true;
  /** It was not in the cache. */
  isAsked = false;
  /** A client waits for it as well. */
  isJoined = false;
  readonly #tails: number[];
  readonly #turns: Portions<Path>;

  constructor(query: QueryView, namespace: number, isAbsent: boolean, turns: Portions<Path>) {
    super(AHEAD);
    const { bytes, nameEnd, type } = query;
    const start = query.start + HEADER_LENGTH;
    this.name = new Uint8Array(nameEnd - start);
    copyBytes(bytes, start, nameEnd, this.name, 0);
    this.end = namespace - start;
    this.type = type;
    this.tail = this.end;
    const svc = this.end + 1 + this.name[this.end]!;
    this.#tails = [svc, svc + 1 + this.name[svc]!];
    const labels = countLabels(this.name, 0, this.end);
    if (labels > 1 && labels <= NDOTS) this.#tails.push(this.name.length - 1);
    if (!isAbsent) this.#tails.unshift(this.end);
    this.#turns = turns;
  }

  /** Goes to the next name; false where there is none. */
  goOn(): boolean {
    const tail = this.#tails.shift();
    if (tail === undefined) return false;
    this.tail = tail;
    return true;
  }

  /** The name is the one that the client asked for. */
  get isFirst(): boolean {
    return this.tail === this.end;
  }

  send(reply: Reply): void {
    this.isAbsent = rcodeOf(reply) === RCODE_NXDOMAIN;
    this.#turns.defer(this);
  }

  drop(): void {
    this.isAbsent = false;
    this.#turns.defer(this);
  }
}

function rcodeOf({ head, headStart }: Reply): number {
  return head[headStart + 3]! & RCODE_MASK;
}

/** Names of a search path are those of hosts; those with underscores are asked for as they are. */
function isTyped(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1 + bytes[at]!) if (bytes[at + 1] === UNDERSCORE) return false;
  return true;
}

function countLabels(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at += 1 + bytes[at]!) count++;
  return count;
}
