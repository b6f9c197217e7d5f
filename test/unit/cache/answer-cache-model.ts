import assert from 'node:assert/strict';
import { AnswerCache } from '../../../src/cache/answer-cache.ts';
import { AnswerDraft } from '../../../src/cache/answer-draft.ts';
import type { CacheQuestion } from '../../../src/cache/cache-question.ts';
import { KIND_FAILURE, KIND_NEGATIVE, KIND_POSITIVE } from '../../../src/cache/entry-memory.ts';
import { QUERY_OK, QueryView } from '../../../src/wire/query.ts';
import { encodeQuestion, FLAGS } from '../../client/message.ts';
import { Random } from '../../fuzz/random.ts';

const TYPES = ['A', 'AAAA', 'TXT'] as const;
/** No answer is stored for it: what is found is said of every type. */
const NEVER_STORED = 'MX';
const EVERY = 'every type';
/** Whatever is there is live. */
const BEFORE_ALL_MS = Number.NEGATIVE_INFINITY;

/** What bodies are cut from. */
const BODY = new Uint8Array(65_536);
const bodyBytes = new Random(3);
for (let at = 0; at < BODY.length; at++) BODY[at] = bodyBytes.below(256);

/** What was stored last; the cache may have given it up since. */
interface Known {
  readonly kind: number;
  readonly freshUntilMs: number;
  /** Its body: so many octets of BODY from there on. */
  readonly from: number;
  readonly length: number;
}

interface Asked {
  readonly name: number;
  readonly type: string;
  readonly isChecking: boolean;
}

export interface CacheModelOptions {
  readonly bytes: number;
  readonly seed: number;
  readonly names: number;
  /** Bits of the names' hashes that are kept; fewer than 32 make names meet that are not the same. */
  readonly hashMask?: number;
}

/** An answer cache beside a plain map of what may be in it. */
export class CacheModel {
  readonly cache: AnswerCache;
  readonly random: Random;
  nowMs = 1000;
  found = 0;
  readonly #names: number;
  readonly #hashMask: number;
  readonly #known = new Map<string, Known>();
  readonly #queries = new Map<string, Buffer>();
  readonly #query = new QueryView(99);
  readonly #draft = new AnswerDraft();

  constructor({ bytes, seed, names, hashMask = -1 }: CacheModelOptions) {
    this.cache = new AnswerCache({ bytes });
    this.random = new Random(seed);
    this.#names = names;
    this.#hashMask = hashMask;
  }

  /** An answer of any kind, with a body of less than `longest` octets. */
  store(longest: number): void {
    const { cache, random } = this;
    const asked = this.#pick();
    const share = random.below(10);
    const draft = this.#draft;
    draft.kind = share < 6 ? KIND_POSITIVE : share < 9 ? KIND_NEGATIVE : KIND_FAILURE;
    draft.isForName = share === 8;
    draft.seconds = 1 + random.below(60);
    draft.message = BODY;
    draft.bodyStart = random.below(BODY.length - longest);
    draft.bodyEnd = draft.bodyStart + random.below(longest);
    const own = { ...asked, type: draft.isForName ? EVERY : asked.type };
    const ofName = { ...asked, type: EVERY };
    const isProof = draft.kind !== KIND_FAILURE && !draft.isForName;
    const replaceable = (this.#isThere(own) ? 1 : 0) + (isProof && this.#isThere(ofName) ? 1 : 0);
    const { size, evictions } = cache;

    assert.notEqual(cache.store(this.#ask(asked), draft, this.nowMs), -1, 'there is room for every answer');
    const evicted = cache.evictions - evictions;
    const replaced = size + 1 - evicted - cache.size;
    assert.ok(replaced >= 0, 'every entry that went is counted');
    // What was given up for room may be the very one that would have been replaced.
    if (evicted === 0 && this.#hashMask === -1) assert.equal(replaced, replaceable);
    const { kind, bodyStart: from, bodyEnd, seconds } = draft;
    if (isProof) this.#known.delete(keyOf(ofName));
    this.#known.set(keyOf(own), { kind, from, length: bodyEnd - from, freshUntilMs: this.nowMs + seconds * 1000 });
  }

  /** Asks a random question; what is found is the right answer, and live. */
  lookUp(): void {
    const asked = this.#pick();
    const at = this.cache.findFresh(this.#ask(asked), this.nowMs);
    const typed = this.#known.get(keyOf(asked));
    const named = this.#known.get(keyOf({ ...asked, type: EVERY }));
    if (at === -1) return;
    this.found++;
    const isTyped = typed !== undefined && this.#isAnswer(at, typed);
    assert.ok(isTyped || (named !== undefined && this.#isAnswer(at, named)), 'what is found was stored for it');
  }

  /** Asks every question there is: everything that is counted is found, and everything found is counted. */
  assertCounts(): void {
    const { cache } = this;
    let size = 0;
    let denials = 0;
    for (let name = 0; name < this.#names; name++) {
      for (const isChecking of [false, true]) {
        for (const type of [...TYPES, EVERY]) {
          const at = this.#find({ name, type, isChecking });
          if (at === -1) continue;
          size++;
          if (cache.memory.kind(at) !== KIND_POSITIVE) denials++;
        }
      }
    }
    assert.equal(cache.size, size);
    assert.equal(cache.denials, denials);
    assert.equal(cache.rejected, 0);
    assert.ok(cache.usedBytes <= cache.budgetBytes);
  }

  #isAnswer(at: number, { kind, freshUntilMs, from, length }: Known): boolean {
    const { memory } = this.cache;
    const start = memory.bodyStart(at);
    const isSame =
      memory.bodyLength(at) === length &&
      Buffer.compare(memory.bytes.subarray(start, start + length), BODY.subarray(from, from + length)) === 0;
    return isSame && memory.kind(at) === kind && freshUntilMs > this.nowMs;
  }

  #isThere(asked: Asked): boolean {
    return this.#find(asked) !== -1;
  }

  /** The entry of that very type, live or not. */
  #find(asked: Asked): number {
    const question = this.#ask(asked.type === EVERY ? { ...asked, type: NEVER_STORED } : asked);
    const at = this.cache.findFresh(question, BEFORE_ALL_MS);
    if (at === -1 || asked.type === EVERY) return at;
    const { memory } = this.cache;
    // The type stands before the class, at the question's end.
    return memory.bytes[memory.bodyStart(at) - 3] === 0 ? -1 : at;
  }

  #pick(): Asked {
    // Some are asked for far more often than others.
    const name = this.random.below(1 + this.random.below(this.#names));
    return { name, type: this.random.pick(TYPES), isChecking: this.random.below(4) === 0 };
  }

  /** In any spelling. */
  #ask(asked: Asked): CacheQuestion {
    const key = keyOf(asked);
    let bytes = this.#queries.get(key);
    if (bytes === undefined) {
      const { name, type, isChecking } = asked;
      const text = `${'service-'.repeat(1 + (name % 4))}${name}.Namespace.svc.cluster.local`;
      bytes = encodeQuestion({ name: text, type, flags: FLAGS.RD | (isChecking ? FLAGS.CD : 0) });
      this.#queries.set(key, bytes);
    }
    // The first letter, one way and the other.
    bytes[13]! ^= 0x20;
    const query = this.#query;
    assert.equal(query.read(bytes, 0, bytes.length), QUERY_OK);
    if (this.#hashMask === -1) return query;
    const { start, nameEnd, questionEnd, type, class: qclass, dnssecOk, flags } = query;
    const nameHash = query.nameHash & this.#hashMask;
    return { bytes, start, nameEnd, questionEnd, nameHash, type, class: qclass, dnssecOk, flags };
  }
}

function keyOf({ name, type, isChecking }: Asked): string {
  return `${name} ${type} ${isChecking}`;
}
