import type { AnswerCache } from '../../cache/answer-cache.ts';
import { ENTRY_HEADER, KIND_NEGATIVE, KIND_POSITIVE } from '../../cache/entry-memory.ts';
import { keyOf } from '../../cache/key.ts';
import type { KnownServices } from '../../search/known-services.ts';
import { CLASS_IN, RCODE_NOERROR, RCODE_NXDOMAIN, TYPE_A, TYPE_AAAA } from '../../wire/constants.ts';
import { hashName } from '../../wire/query.ts';
import { RecordWalk } from '../../wire/record-walk.ts';
import type { ServiceGroups } from './service-groups.ts';

export interface DoubtfulDenialsParts {
  cache: AnswerCache;
  /** Of the names in the cache's keys. */
  seed: number;
  /** The Services that there are. */
  services: Pick<KnownServices, 'has'>;
}

/** Tells which "no" about a Service may end without a change of that Service, so that it may not live on because none was heard of. */
export class DoubtfulDenials {
  readonly #parts: DoubtfulDenialsParts;
  readonly #walk = new RecordWalk();

  constructor(parts: DoubtfulDenialsParts) {
    this.#parts = parts;
  }

  isDoubtful(at: number, groups: ServiceGroups): boolean {
    return (
      this.#parts.cache.memory.kind(at) === KIND_NEGATIVE &&
      (this.#isUnknowing(at, groups) || this.mayBeAlias(at, groups))
    );
  }

  /**
   * Whether an entry says that a Service has no address of one family, and nothing is known of the other, or that it has a CNAME. It may be an ExternalName that leads to a Service that
   * is not there, or has no endpoint of the family: CoreDNS then leaves out the CNAME, and nothing tells of what the answer depends on.
   */
  mayBeAlias(at: number, groups: ServiceGroups): boolean {
    const { cache, seed } = this.#parts;
    const { memory } = cache;
    const { bytes } = memory;
    if (memory.kind(at) !== KIND_NEGATIVE || memory.rcode(at) !== RCODE_NOERROR || memory.answers(at) > 0) return false;
    const codes = memory.bodyStart(at) - 4;
    const type = (bytes[codes]! << 8) | bytes[codes + 1]!;
    if (type !== TYPE_A && type !== TYPE_AAAA) return false;
    const start = at + ENTRY_HEADER;
    const nameEnd = start + memory.questionLength(at) - 4;
    if (groups.serviceAt(bytes, start, nameEnd) !== start) return false;
    const otherType = type === TYPE_A ? TYPE_AAAA : TYPE_A;
    const other = cache.entry(keyOf(hashName(bytes, start, nameEnd, seed), otherType, CLASS_IN, memory.dnssecBits(at)));
    if (other === -1 || memory.kind(other) !== KIND_POSITIVE || memory.isOutdated(other)) return true;
    return this.#hasOtherThan(otherType, other);
  }

  /** Whether the answer at `at` has records of another type, which are CNAME records. */
  #hasOtherThan(type: number, at: number): boolean {
    const { memory } = this.#parts.cache;
    const walk = this.#walk;
    walk.begin(memory.bodyStart(at));
    for (let i = memory.answers(at); i > 0; i--) {
      walk.read(memory.bytes, memory.optionsStart(at));
      if (walk.type !== type) return true;
    }
    return false;
  }

  /**
   * Whether an entry says NXDOMAIN of a Service that there is. That may be so, with no endpoint ready; or it comes from a cluster DNS that has just started and does not know its
   * Services yet, of which no change would tell.
   */
  #isUnknowing(at: number, groups: ServiceGroups): boolean {
    const { cache, services } = this.#parts;
    const { memory } = cache;
    if (memory.rcode(at) !== RCODE_NXDOMAIN) return false;
    const start = at + ENTRY_HEADER;
    const service = groups.serviceAt(memory.bytes, start, start + memory.questionLength(at) - 4);
    return service !== -1 && services.has(memory.bytes, service);
  }
}
