import { readFileSync } from 'node:fs';
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  Scalar,
  type YAMLMap,
} from 'yaml';

/** Way to a value: keys of maps, places in lists. */
export type Way = readonly (string | number)[];

/** One Kubernetes object: a template of `manifests/` and its comments, changed as a tree. */
export class Manifest {
  readonly #document: Document;

  constructor(document: Document) {
    this.#document = document;
  }

  /** The template `manifests/NAME.yaml`: src and dist lie equally deep in the package. */
  static load(name: string): Manifest {
    const url = new URL(`../../manifests/${name}.yaml`, import.meta.url);
    const document = parseDocument(readFileSync(url, 'utf8'));
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return new Manifest(document);
  }

  get kind(): string {
    return String(this.#document.get('kind'));
  }

  get name(): string {
    return String(this.#document.getIn(['metadata', 'name']));
  }

  set(way: Way, value: unknown): this {
    this.#document.setIn(way, this.#document.createNode(value));
    return this;
  }

  /** Several lines of text as they are. */
  setText(way: Way, text: string): this {
    const scalar = new Scalar(text);
    scalar.type = Scalar.BLOCK_LITERAL;
    this.#document.setIn(way, scalar);
    return this;
  }

  /** Takes out what is there, with its comment. */
  remove(way: Way): this {
    const parent = this.#document.getIn(way.slice(0, -1));
    const isFirst = isMap(parent) ? keyOf(parent.items[0]) === way.at(-1) : way.at(-1) === 0;
    // The comment before a first item is its collection's.
    if (isFirst && isCollection(parent)) parent.commentBefore = null;
    if (!this.#document.deleteIn(way)) throw new Error(`${this.name}: nothing at ${way.join('.')}`);
    return this;
  }

  /** Adds to the end of the list. */
  append(way: Way, ...values: readonly unknown[]): this {
    const list = this.#document.getIn(way);
    if (!isSeq(list)) throw new Error(`${this.name}: no list at ${way.join('.')}`);
    for (const value of values) list.add(this.#document.createNode(value));
    return this;
  }

  /** Takes the item with this `name` out of a list. */
  removeNamed(way: Way, name: string): this {
    return this.remove(this.#wayTo(way, name));
  }

  /** Sets a value in the item with this `name` of a list. */
  setNamed(way: Way, name: string, within: Way, value: unknown): this {
    return this.set([...this.#wayTo(way, name), ...within], value);
  }

  /** The plain value at a place; undefined where nothing is. */
  valueAt(way: Way): unknown {
    const node = this.#document.getIn(way);
    return isNode(node) ? node.toJS(this.#document) : node;
  }

  /** A comment on top, in place of the template's. */
  comment(text: string): this {
    this.#document.commentBefore = text.replace(/^/gm, ' ');
    return this;
  }

  /** A comment before a key, in place of the template's; undefined: none. */
  commentAt(way: Way, text: string | undefined): this {
    const map = this.#document.getIn(way.slice(0, -1));
    const pair = isMap(map) ? map.items.find((each) => keyOf(each) === way.at(-1)) : undefined;
    if (pair === undefined) throw new Error(`${this.name}: nothing at ${way.join('.')}`);
    // Before the first key of all it belongs to the map.
    const target = (map as YAMLMap).items[0] === pair ? (map as YAMLMap) : (pair.key as Scalar);
    target.commentBefore = text?.replace(/^/gm, ' ') ?? null;
    return this;
  }

  /** The plain value, as JSON has it. */
  toJSON(): unknown {
    return this.#document.toJS();
  }

  /** YAML with comments, without a separator. */
  toString(): string {
    return this.#document.toString({ lineWidth: 0, flowCollectionPadding: false });
  }

  #wayTo(way: Way, name: string): Way {
    const list = this.#document.getIn(way);
    const index = isSeq(list) ? list.items.findIndex((item) => (item as YAMLMap).get('name') === name) : -1;
    if (index < 0) throw new Error(`${this.name}: no ${name} at ${way.join('.')}`);
    return [...way, index];
  }
}

function keyOf(pair: Pair | undefined): unknown {
  return isScalar(pair?.key) ? pair.key.value : undefined;
}
