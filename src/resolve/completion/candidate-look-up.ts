import type { AnswerCache } from '../../cache/answer-cache.ts';
import { STATE_REFRESHING } from '../../cache/entry-memory.ts';
import { MAX_MESSAGE_LENGTH } from '../../wire/constants.ts';
import { MessageScan } from '../../wire/message-scan.ts';
import type { QueryView } from '../../wire/query.ts';
import { Reply } from '../../wire/reply.ts';
import type { Client } from '../client.ts';
import type { Composer } from '../composer.ts';
import { OwnQuestion } from '../own-question.ts';
import { ANSWERED } from '../responder.ts';
import { FAILED, FoundAnswer } from './found-answer.ts';

/** Answers names in a pod's cause; `Resolver` fulfils it. */
export interface CandidateAnswers {
  /** As `Responder.respond`, of a name that is asked in the agent's own cause; aliases are followed. Neither query nor answer is counted as a client's. */
  lookUp(query: QueryView, nowMs: number, client: Client, reply: Reply): number;
  /** Asks again for the live entry at `at`. */
  prefetch(query: QueryView, at: number): void;
  /** Hits after which an entry of this question's zone is worth a prefetch; 0: never. */
  prefetchHits(query: QueryView): number;
  /** The zone that the question is counted under. */
  zoneId(query: QueryView): number;
}

export interface CandidateLookUpParts {
  cache: AnswerCache;
  composer: Composer;
  names: CandidateAnswers;
  /** Of the names in the cache's keys. */
  seed: number;
}

/** Asks for a name and one type, as a client would: the cache, then whatever else answers. What was found last is in `found`. */
export class CandidateLookUp {
  readonly found = new FoundAnswer();
  readonly #parts: CandidateLookUpParts;
  readonly #own: OwnQuestion;
  readonly #scan = new MessageScan();
  readonly #reply = new Reply();
  readonly #message = new Uint8Array(MAX_MESSAGE_LENGTH);

  constructor(parts: CandidateLookUpParts) {
    this.#parts = parts;
    this.#own = new OwnQuestion(parts.seed);
  }

  /** True where the cache has a live answer: its TTLs are counted down, its addresses rotated. `isHit`: it is for a client. */
  inCache(name: Uint8Array, type: number, nowMs: number, isHit: boolean): boolean {
    const { cache, composer } = this.#parts;
    const query = this.#own.write(name, 0, name.length, name.length, name.length, type);
    const at = cache.findFresh(query, nowMs);
    if (at === -1) return false;
    if (isHit) this.#countHit(query, at, nowMs);
    composer.compose(query, cache.memory, at, nowMs, true, 'cache', this.#reply);
    this.found.readEntry(cache.memory, at, type);
    return true;
  }

  /** What `inCache` just did not find; ANSWERED, HELD or DROPPED, as `Responder.respond` has them. */
  ask(nowMs: number, client: Client): number {
    const outcome = this.#parts.names.lookUp(this.#own.query, nowMs, client, this.#reply);
    if (outcome === ANSWERED) this.read(this.#message, this.#reply.copyTo(this.#message, 0));
    return outcome;
  }

  /** Takes a message in [0, end) that came for such a question. */
  read(message: Uint8Array, end: number): void {
    if (this.#scan.scan(message, 0, end)) this.found.readMessage(message, this.#scan);
    else this.found.status = FAILED;
  }

  #countHit(query: QueryView, at: number, nowMs: number): void {
    const { cache, names } = this.#parts;
    const { memory } = cache;
    const hits = memory.countHit(at);
    if (nowMs < memory.refreshAtMs(at) || memory.has(at, STATE_REFRESHING)) return;
    const least = names.prefetchHits(query);
    if (least > 0 && hits >= least) names.prefetch(query, at);
  }
}
