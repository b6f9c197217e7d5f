import type { EntryDigest } from '../../cache/entry-digest.ts';
import { ENTRY_HEADER, type EntryMemory } from '../../cache/entry-memory.ts';
import { EVERY_TYPE } from '../../cache/key.ts';
import { RE_ASKED_NAMES, RE_ASKS } from '../../core/limits.ts';
import { Timer, type TimerWheel } from '../../core/timer-wheel.ts';
import { FLAG_RD, HEADER_LENGTH, TYPE_A, TYPE_AAAA } from '../../wire/constants.ts';
import { copyBytes } from '../../wire/copy.ts';
import { QueryView } from '../../wire/query.ts';
import { NO_GROUP } from './service-groups.ts';

/** How long after a change a cluster DNS may still answer as before. */
export const SETTLING_MS = 5000;
/** After the change: while the answer is the one of before. */
const STEPS_MS = [0, 50, 100, 200, 400, 800, 1600, 3200, SETTLING_MS];
/** The same for a name whose answer the last changes have not changed: those of the endpoints behind a Service's own address do not. */
const CALM_STEPS_MS = [0, 800, SETTLING_MS];
const CALM_CHANGES = 2;
/** Between two drops of one Service, and two questions for one name on that account, while changes follow each other. */
export const BURST_GAP_MS = 100;
const SECOND_MS = 1000;

export interface ReAskingParts {
  wheel: TimerWheel;
  digest: EntryDigest;
  /** Of the names in the cache's keys. */
  seed: number;
  /** Asks what no client waits for; false where it is not asked now. */
  ask: (query: QueryView) => boolean;
  keyOf: (query: QueryView) => number;
}

/**
 * Asks again for popular names whose answers a change has dropped, so that no client waits, and until the cluster DNS, which may hear of the change later than this process, says
 * something else than before. Few changes change an answer: so names, and questions in a second, are bounded, and names that stay the same are asked less and less.
 */
export class ReAsking {
  readonly #parts: ReAskingParts;
  readonly #query: QueryView;
  readonly #names = new Map<number, ReAsked>();
  /** Changes in a row that did not change a name's answer. */
  readonly #calm = new Map<number, number>();
  #secondMs = 0;
  #asksInSecond = 0;
  /** Read by the metrics: questions, and names whose answer became another one, or did not. */
  asked = 0;
  changed = 0;
  unchanged = 0;

  constructor(parts: ReAskingParts) {
    this.#parts = parts;
    this.#query = new QueryView(parts.seed);
  }

  get size(): number {
    return this.#names.size;
  }

  /** The popular entry at `at` is out of date. Before it goes; `begin` asks. */
  add(memory: EntryMemory, at: number, group: number): void {
    const codes = memory.bodyStart(at) - 4;
    const type = (memory.bytes[codes]! << 8) | memory.bytes[codes + 1]!;
    // A name that was not there is asked for as clients mostly do.
    for (const wanted of type === EVERY_TYPE ? [TYPE_A, TYPE_AAAA] : [type]) {
      const query = this.#query;
      const message = questionOf(memory, at, wanted);
      query.read(message, 0, message.length);
      const key = this.#parts.keyOf(query);
      const known = this.#names.get(key);
      if (known === undefined && this.#names.size >= RE_ASKED_NAMES.value) {
        RE_ASKED_NAMES.hits++;
        continue;
      }
      const name = known ?? new ReAsked(this, key, message);
      name.digest = this.#parts.digest.of(memory, at);
      name.group = group;
      this.#names.set(key, name);
    }
  }

  /** A Service has changed, and what was dropped of it was added: asks for it now, and later. `isCalm`: of such changes most change no answer. */
  begin(group: number, isCalm: boolean, nowMs: number): void {
    if (this.#names.size === 0) return;
    for (const name of this.#names.values()) {
      if (name.group !== group) continue;
      const isExpectedSame = isCalm && (this.#calm.get(name.key) ?? 0) >= CALM_CHANGES;
      name.steps = isExpectedSame ? CALM_STEPS_MS : STEPS_MS;
      name.changes++;
      name.changedMs = nowMs;
      name.step = 0;
      const waitMs = name.askedMs + BURST_GAP_MS - nowMs;
      if (waitMs > 0) this.#parts.wheel.set(name, waitMs);
      else this.goOn(name, nowMs);
    }
  }

  /** Something is known again of what is asked for under that key. */
  kept(key: number, memory: EntryMemory, at: number): void {
    const name = this.#names.get(key);
    if (name === undefined) return;
    const digest = this.#parts.digest.of(memory, at);
    if (digest === name.digest) return;
    name.digest = digest;
    name.hasChanged = true;
    // After one change this is what it led to; after several there may be more to come.
    if (name.changes === 1) this.#end(name);
  }

  /** Asks, and sets when to ask next. */
  goOn(name: ReAsked, nowMs: number): void {
    const { steps } = name;
    if (nowMs - name.changedMs >= SETTLING_MS) {
      this.#end(name);
      return;
    }
    if (this.#mayAsk(nowMs)) {
      name.askedMs = nowMs;
      this.#query.read(name.message, 0, name.message.length);
      if (this.#parts.ask(this.#query)) this.asked++;
    }
    while (name.step < steps.length - 1 && name.changedMs + steps[name.step]! <= nowMs) name.step++;
    this.#parts.wheel.set(name, Math.max(1, name.changedMs + steps[name.step]! - nowMs));
  }

  #mayAsk(nowMs: number): boolean {
    if (nowMs - this.#secondMs >= SECOND_MS) {
      this.#secondMs = nowMs;
      this.#asksInSecond = 0;
    }
    if (this.#asksInSecond < RE_ASKS.value) {
      this.#asksInSecond++;
      return true;
    }
    RE_ASKS.hits++;
    return false;
  }

  #end(name: ReAsked): void {
    this.#parts.wheel.clear(name);
    this.#names.delete(name.key);
    if (name.hasChanged) this.changed++;
    else this.unchanged++;
    const calm = name.hasChanged ? 0 : (this.#calm.get(name.key) ?? 0) + 1;
    this.#calm.delete(name.key);
    if (calm === 0) return;
    this.#calm.set(name.key, calm);
    const [oldest] = this.#calm.keys();
    if (this.#calm.size > MOST_CALM * RE_ASKED_NAMES.value) this.#calm.delete(oldest!);
  }
}

/** Names that are known to stay the same, for each that may be asked for at one time. */
const MOST_CALM = 16;

class ReAsked extends Timer {
  readonly key: number;
  readonly message: Uint8Array;
  /** Of the change that it was dropped by last. */
  group = NO_GROUP;
  /** Of the answer that was dropped, or came last. */
  digest = 0;
  hasChanged = false;
  changes = 0;
  changedMs = 0;
  askedMs = Number.NEGATIVE_INFINITY;
  step = 0;
  steps: readonly number[] = STEPS_MS;
  readonly #reAsking: ReAsking;

  constructor(reAsking: ReAsking, key: number, message: Uint8Array) {
    super();
    this.#reAsking = reAsking;
    this.key = key;
    this.message = message;
  }

  override onTimeout(nowMs: number): void {
    this.#reAsking.goOn(this, nowMs);
  }
}

/** The query of a plain client that asks what an entry answers. */
function questionOf(memory: EntryMemory, at: number, type: number): Uint8Array {
  const length = memory.questionLength(at);
  const message = new Uint8Array(HEADER_LENGTH + length);
  message[2] = FLAG_RD >> 8;
  message[5] = 1;
  copyBytes(memory.bytes, at + ENTRY_HEADER, at + ENTRY_HEADER + length, message, HEADER_LENGTH);
  message[HEADER_LENGTH + length - 4] = type >> 8;
  message[HEADER_LENGTH + length - 3] = type;
  return message;
}
