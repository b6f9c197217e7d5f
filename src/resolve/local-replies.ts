import { AnswerDraft } from '../cache/answer-draft.ts';
import { type CacheTraffic, REFUSED } from '../cache/cache-traffic.ts';
import { SOURCE_LOCAL } from '../metrics/traffic.ts';
import { CLASS_CH, RCODE_NXDOMAIN, RCODE_REFUSED, TYPE_ANY } from '../wire/constants.ts';
import type { QueryView } from '../wire/query.ts';
import type { Reply } from '../wire/reply.ts';
import type { Client } from './client.ts';
import type { Composer } from './composer.ts';
import { BLOCKED } from './extended-errors.ts';
import type { LocalAnswers } from './local-answers.ts';
import type { NodeNames } from './node-names.ts';
import { TransientEntry } from './transient-entry.ts';
import type { Zone } from './zone.ts';
import { NO_RULE } from './zone-rules.ts';

const NO_OPTIONS = new Uint8Array(0);

export interface LocalRepliesParts {
  cacheTraffic: CacheTraffic;
  composer: Composer;
  local: LocalAnswers;
  /** Undefined: names of nodes are asked upstream, as all others. */
  nodeNames?: NodeNames | undefined;
}

/** Replies that need neither cache nor upstream, counted as such: what the configuration says, names that never leave the node, and our own errors. */
export class LocalReplies {
  readonly #parts: LocalRepliesParts;
  readonly #draft = new AnswerDraft();
  readonly #transient = new TransientEntry();

  constructor(parts: LocalRepliesParts) {
    this.#parts = parts;
  }

  /** Fills `reply` where no upstream is to be asked; false where one is. */
  answer(query: QueryView, zone: Zone, nowMs: number, client: Client, reply: Reply): boolean {
    if (zone.isRefused) {
      this.#parts.cacheTraffic.count(zone.id, REFUSED);
      this.say(query, zone, RCODE_REFUSED, BLOCKED, client, reply);
      return true;
    }
    const isSpecial = query.class === CLASS_CH || query.type === TYPE_ANY;
    const mayBeNode = this.#parts.nodeNames?.mayAnswer(zone) === true;
    if (zone.forwarder !== undefined && zone.rules === undefined && !isSpecial && !mayBeNode) return false;
    if (!this.#fillDraft(query, zone)) return false;
    this.#transient.write(query, this.#draft, nowMs);
    this.#parts.composer.compose(query, this.#transient.memory, 0, nowMs, client.isStream, 'local', reply);
    client.traffic.response(zone.id, this.#draft.rcode, reply.length, 0, SOURCE_LOCAL);
    return true;
  }

  /** The answer to our own probe, by way of an upstream. Without SOA, so that nobody on the way keeps it. */
  sayProbed(query: QueryView, zone: Zone, client: Client, reply: Reply): void {
    this.say(query, zone, RCODE_NXDOMAIN, NO_OPTIONS, client, reply);
  }

  /** A code and, for clients with OPT, an extended error. */
  say(query: QueryView, zone: Zone, rcode: number, ede: Uint8Array, client: Client, reply: Reply): void {
    this.#parts.composer.composeRcode(query, rcode, ede, reply);
    client.traffic.response(zone.id, rcode, reply.length, 0, SOURCE_LOCAL);
  }

  #fillDraft(query: QueryView, zone: Zone): boolean {
    const { local, cacheTraffic, nodeNames } = this.#parts;
    if (local.special(query, this.#draft)) return true;
    const rule = zone.rules === undefined ? NO_RULE : zone.rules.answer(query, this.#draft);
    if (rule !== NO_RULE) {
      cacheTraffic.count(zone.id, rule);
      return true;
    }
    if (nodeNames?.answer(query, zone, this.#draft) === true) return true;
    if (zone.forwarder !== undefined) return false;
    local.loopback(query, zone.name, this.#draft);
    return true;
  }
}
