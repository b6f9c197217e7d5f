import { FOLLOWED_OBJECTS } from '../core/limits.ts';
import type { ApiObject, ObjectMeta } from './api-objects.ts';
import type { WatchSink } from './watch.ts';

/** `listed`: it was there when following began, and nothing is known to have changed. */
export type Change = 'listed' | 'new' | 'changed' | 'gone';

export interface ObjectLedgerParts<T extends ApiObject> {
  /** Whom changes of the object concern; undefined: nobody, it counts as not there. */
  ownerOf(metadata: ObjectMeta): string | undefined;
  /** `owner` is of the namespace; what is gone has no object. Must not throw. */
  onChange(namespace: string, owner: string, change: Change, object?: T): void;
}

interface Entry {
  version: string;
  owner: string;
  /** The list that it was in, or that was the latest when it came. */
  list: number;
}

/**
 * Which objects there are, in which version, and of each nothing more: so that a list after a break tells what changed meanwhile, and only that. What it does not know it
 * tells of once too often rather than once too seldom.
 */
export class ObjectLedger<T extends ApiObject = ApiObject> implements WatchSink<T> {
  readonly #parts: ObjectLedgerParts<T>;
  readonly #entries = new Map<string, Entry>();
  #list = 0;
  /** All that there are were told of once. */
  #isKnown = false;

  constructor(parts: ObjectLedgerParts<T>) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#entries.size;
  }

  onListing(): void {
    this.#list++;
  }

  onListed(): void {
    for (const [key, { list, owner }] of this.#entries) {
      if (list !== this.#list) this.#forget(key, owner);
    }
    this.#isKnown = true;
  }

  onObject(object: T): void {
    const { metadata } = object;
    const { namespace = '', resourceVersion: version } = metadata;
    const key = keyOf(metadata);
    const owner = this.#parts.ownerOf(metadata);
    const known = this.#entries.get(key);
    if (known !== undefined && known.owner !== owner) this.#forget(key, known.owner);
    if (owner === undefined) return;
    if (known?.owner === owner) {
      known.list = this.#list;
      if (known.version === version) return;
      known.version = version;
      this.#parts.onChange(namespace, owner, 'changed', object);
    } else {
      this.#keep(key, { version, owner, list: this.#list });
      this.#parts.onChange(namespace, owner, this.#isKnown ? 'new' : 'listed', object);
    }
  }

  onDeleted({ metadata }: T): void {
    const key = keyOf(metadata);
    const owner = this.#entries.get(key)?.owner ?? this.#parts.ownerOf(metadata);
    if (owner !== undefined) this.#forget(key, owner);
  }

  #keep(key: string, entry: Entry): void {
    if (this.#entries.size < FOLLOWED_OBJECTS.value) this.#entries.set(key, entry);
    else FOLLOWED_OBJECTS.hits++;
  }

  #forget(key: string, owner: string): void {
    this.#entries.delete(key);
    this.#parts.onChange(key.slice(0, key.indexOf('/')), owner, 'gone');
  }
}

function keyOf({ namespace = '', name }: ObjectMeta): string {
  return `${namespace}/${name}`;
}
