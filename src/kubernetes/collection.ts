import type { ApiObject } from './api-objects.ts';
import type { WatchSink } from './watch.ts';

export interface CollectionParts<T extends ApiObject, V> {
  /** What is kept of an object; undefined: nothing, it counts as not there. */
  read(object: T): V | undefined;
  /** All of a list are known, or one has changed. */
  onChange(): void;
}

/** The objects of a watch by namespace and name, as far as they are needed: what is read of each is kept, the object is not. */
export class Collection<T extends ApiObject, V> implements WatchSink<T> {
  readonly #parts: CollectionParts<T, V>;
  #values = new Map<string, V>();
  /** The list that is coming in; what is known stays in force until it is whole. */
  #listing: Map<string, V> | undefined;

  constructor(parts: CollectionParts<T, V>) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#values.size;
  }

  values(): IterableIterator<V> {
    return this.#values.values();
  }

  onListing(): void {
    this.#listing = new Map();
  }

  onListed(): void {
    if (this.#listing !== undefined) this.#values = this.#listing;
    this.#listing = undefined;
    this.#parts.onChange();
  }

  onObject(object: T): void {
    const value = this.#parts.read(object);
    const values = this.#listing ?? this.#values;
    if (value === undefined) values.delete(keyOf(object));
    else values.set(keyOf(object), value);
    if (this.#listing === undefined) this.#parts.onChange();
  }

  onDeleted(object: T): void {
    (this.#listing ?? this.#values).delete(keyOf(object));
    if (this.#listing === undefined) this.#parts.onChange();
  }
}

function keyOf({ metadata: { namespace = '', name } }: ApiObject): string {
  return `${namespace}/${name}`;
}
