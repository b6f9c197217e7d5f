import type { Portions } from '../../core/portions.ts';
import { countLabels } from '../../search/cluster-names.ts';
import { HEADER_LENGTH, RCODE_MASK, RCODE_NXDOMAIN } from '../../wire/constants.ts';
import { copyBytes } from '../../wire/copy.ts';
import type { QueryView } from '../../wire/query.ts';
import type { Reply } from '../../wire/reply.ts';
import { OwnClient } from '../own-client.ts';

/** Of the usual `options ndots:5`: a name with so many dots was asked as it is before it was searched. */
const NDOTS = 5;

/** One look-up on its way down the search path; waits for answers as a client does. */
export class SearchWalk extends OwnClient {
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
  readonly #turns: Portions<SearchWalk>;

  constructor(query: QueryView, namespace: number, isAbsent: boolean, turns: Portions<SearchWalk>) {
    super();
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

/** The code of a reply, its low four bits. */
export function rcodeOf({ head, headStart }: Reply): number {
  return head[headStart + 3]! & RCODE_MASK;
}
