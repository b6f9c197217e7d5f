import { FOLLOWED_OBJECTS } from '../core/limits.ts';
import type { ApiObject, ObjectMeta } from './api-objects.ts';
import { ObjectTable } from './object-table.ts';
import type { WatchSink } from './watch.ts';

/** `listed`: it was there when following began, and nothing is known to have changed. */
export type Change = 'listed' | 'new' | 'changed' | 'gone';

export interface ObjectLedgerParts<T extends ApiObject> {
  /** Whom changes of the object concern; undefined: nobody, it counts as not there. */
  ownerOf(metadata: ObjectMeta): string | undefined;
  /** `owner` is of the namespace; what is gone has no object. Must not throw. */
  onChange(namespace: string, owner: string, change: Change, object?: T): void;
}

/** Names that are longer are none that the API takes. */
const MOST_LENGTH = 253;

/**
 * Which objects there are, in which version, and of each nothing more: so that a list after a break tells what changed meanwhile, and only that. What it does not know it
 * tells of once too often rather than once too seldom.
 */
export class ObjectLedger<T extends ApiObject = ApiObject> implements WatchSink<T> {
  readonly #parts: ObjectLedgerParts<T>;
  readonly #table = new ObjectTable();
  #list = 0;
  /** All that there are were told of once. */
  #isKnown = false;

  constructor(parts: ObjectLedgerParts<T>) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#table.size;
  }

  onListing(): void {
    this.#list++;
  }

  onListed(): void {
    for (const slot of this.#table.notIn(this.#list)) this.#forget(slot);
    this.#isKnown = true;
  }

  onObject(object: T): void {
    const { namespace = '', name, resourceVersion } = object.metadata;
    if (!isStorable(namespace, name)) return;
    const owner = this.#ownerOf(object);
    const version = versionOf(resourceVersion);
    const slot = this.#table.find(namespace, name);
    if (slot >= 0 && this.#table.owner(slot) === owner) {
      const isSame = this.#table.version(slot) === version;
      this.#table.see(slot, version, this.#list);
      if (!isSame) this.#parts.onChange(namespace, owner, 'changed', object);
      return;
    }
    if (slot >= 0) this.#forget(slot);
    if (owner === undefined) return;
    if (this.#table.size >= FOLLOWED_OBJECTS.value) FOLLOWED_OBJECTS.hits++;
    else this.#table.see(this.#table.add(namespace, name, owner), version, this.#list);
    this.#parts.onChange(namespace, owner, this.#isKnown ? 'new' : 'listed', object);
  }

  onDeleted(object: T): void {
    const { namespace = '', name } = object.metadata;
    if (!isStorable(namespace, name)) return;
    const slot = this.#table.find(namespace, name);
    const owner = this.#ownerOf(object);
    if (slot >= 0) this.#forget(slot);
    else if (owner !== undefined) this.#parts.onChange(namespace, owner, 'gone');
  }

  #ownerOf({ metadata }: T): string | undefined {
    const owner = this.#parts.ownerOf(metadata);
    return owner === undefined || owner.length > MOST_LENGTH ? undefined : owner;
  }

  #forget(slot: number): void {
    const [namespace, owner] = [this.#table.namespace(slot), this.#table.owner(slot)];
    this.#table.remove(slot);
    this.#parts.onChange(namespace, owner, 'gone');
  }
}

function isStorable(namespace: string, name: string): boolean {
  return namespace.length <= MOST_LENGTH && name.length <= MOST_LENGTH;
}

/** Versions are etcd's numbers; whatever else they may become one day is told apart by a hash. */
function versionOf(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) % Number.MAX_SAFE_INTEGER;
  return -hash;
}
