import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { CONFIG_BYTES, CONFIG_VALUES } from '../core/limits.ts';
import { type Complaints, shown } from './complaints.ts';
import { Refusal } from './refusal.ts';
import type { Origin, Said } from './settings.ts';

/** A value of a file with its place in it. */
export class YamlLeaf implements Said {
  readonly text: string;
  readonly origin: Origin;
  /** A key without a value, or `null` itself. */
  readonly isEmpty: boolean;

  constructor(text: string, origin: Origin, isEmpty: boolean) {
    this.text = text;
    this.origin = origin;
    this.isEmpty = isEmpty;
  }
}

export type YamlTree = YamlLeaf | YamlTree[] | { [key: string]: YamlTree };

/** Deeper than any file that is meant. It also ends an alias that stands in what it names. */
const MAX_DEPTH = 16;

/** The parser's; what follows the first ones is mostly their doing. */
const MAX_ERRORS = 5;

const TOO_DEEP = 'it is nested too deep';

/** Keys that no object can safely have. */
const RESERVED: readonly string[] = ['__proto__', 'constructor', 'prototype'];

/**
 * A YAML file as plain maps, lists and leaves, each of which knows where it stands. Scalars stay the text that was written, so `off` is `off` and `1e3` is
 * `1e3`, whatever YAML would make of them. Aliases and merge keys (`<<`) are followed, within bounds.
 */
export class YamlFile {
  readonly #path: string;
  readonly #complaints: Complaints;
  readonly #lines = new LineCounter();
  /** Places of maps and lists. */
  readonly #origins = new WeakMap<object, Origin>();
  /** What each alias stands for. */
  readonly #targets = new Map<Node, Node>();
  #values = 0;

  constructor(path: string, complaints: Complaints) {
    this.#path = path;
    this.#complaints = complaints;
  }

  /** Undefined where nothing is in it, or nothing can be made of it; complaints say why. */
  read(text: string): YamlTree | undefined {
    try {
      this.#checkText(text);
      const document = parseDocument(text, {
        lineCounter: this.#lines,
        prettyErrors: false,
        stringKeys: true,
        // The parser compares each key with every other; `#map` looks it up.
        uniqueKeys: false,
        logLevel: 'error',
      });
      this.#complainOf(document.errors);
      if (document.errors.length > 0) return undefined;
      if (document.contents === null) throw new Unreadable(1, 'there is nothing in it; expected keys, or {}');
      if (text.includes('*')) this.#findTargets(document);
      return this.#tree(document.contents, '', 0, 1);
    } catch (error) {
      const isOurs = error instanceof Unreadable;
      // Nesting that goes on for thousands of levels is too much for the parser's own stack.
      if (!(error instanceof RangeError) && !isOurs) throw error;
      this.#complain(isOurs ? error.line : 1, `read YAML: ${isOurs ? error.message : TOO_DEEP}`);
      return undefined;
    }
  }

  /** In one walk: the parser's own way to an alias's target walks the whole document each time. */
  #findTargets(document: Document): void {
    const anchors = new Map<string, Node>();
    visit(document, {
      Node: (_, node) => {
        if (isAlias(node)) {
          const target = anchors.get(node.source);
          if (target !== undefined) this.#targets.set(node, target);
        } else if (node.anchor !== undefined) {
          anchors.set(node.anchor, node);
        }
      },
    });
  }

  originOf(tree: YamlTree): Origin {
    return tree instanceof YamlLeaf ? tree.origin : this.#origins.get(tree)!;
  }

  #complainOf(errors: Document['errors']): void {
    // More of one line are mostly what comes of its first.
    const ofLines = new Map(errors.toReversed().map((error) => [this.#lineAt(error.pos[0]), error]));
    for (const { message, pos } of [...ofLines.values()].toReversed().slice(0, MAX_ERRORS)) {
      const isTooDeep = message.startsWith('Maximum call stack');
      this.#complain(this.#lineAt(pos[0]), `read YAML: ${isTooDeep ? TOO_DEEP : message}`);
    }
  }

  #checkText(text: string): void {
    const bad = /[\0\ufffd]/.exec(text)?.index;
    if (bad !== undefined) throw new Unreadable(lineOf(text, bad), 'this is no UTF-8 text; save it in that encoding');
    if (text.length > CONFIG_BYTES.value) {
      CONFIG_BYTES.hits++;
      throw new Unreadable(1, `it has ${text.length} characters, expected at most ${CONFIG_BYTES.value}`);
    }
  }

  #tree(node: Node | null, name: string, depth: number, parentLine: number): YamlTree {
    const line = node?.range ? this.#lineAt(node.range[0]) : parentLine;
    if (depth > MAX_DEPTH)
      throw new Unreadable(line, `${TOO_DEEP}; expected at most ${MAX_DEPTH} levels, and no alias within itself`);
    if (++this.#values > CONFIG_VALUES.value) {
      CONFIG_VALUES.hits++;
      throw new Unreadable(line, `with its aliases it has more than ${CONFIG_VALUES.value} values`);
    }
    const place = `${this.#path}:${line}`;
    if (isAlias(node)) {
      const target = this.#targets.get(node);
      if (target === undefined) this.#complain(line, `use *${node.source}: no &${node.source} stands before it`);
      return this.#tree(target ?? null, name, depth + 1, line);
    }
    if (isMap(node))
      return this.#map(node as YAMLMap<Node, Node | null>, { name, place: `${this.#path}:${parentLine}` }, depth, line);
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.#tree(item as Node, `${name}[${index}]`, depth + 1, line));
      this.#origins.set(items, { name, place: `${this.#path}:${parentLine}` });
      return items;
    }
    if (!isScalar(node) || node.value === null) return new YamlLeaf('', { name, place }, true);
    return new YamlLeaf(textOf(node), { name, place }, false);
  }

  #map(node: YAMLMap<Node, Node | null>, origin: Origin, depth: number, line: number): { [key: string]: YamlTree } {
    const map: { [key: string]: YamlTree } = {};
    const merged: (Node | null)[] = [];
    for (const { key, value } of node.items as Pair<Node, Node | null>[]) {
      const text = isScalar(key) ? textOf(key) : '';
      const name = origin.name === '' ? keyText(text) : `${origin.name}.${keyText(text)}`;
      const keyLine = key.range ? this.#lineAt(key.range[0]) : line;
      if (RESERVED.includes(text)) {
        this.#complain(keyLine, `set ${name}: this word is reserved; write a zone so with a dot at its end`);
      } else if (text === '<<') {
        merged.push(value);
      } else if (Object.hasOwn(map, text)) {
        this.#complain(keyLine, `set ${name} twice: it is set already; give it once`);
      } else {
        map[text] = this.#tree(value, name, depth + 1, keyLine);
      }
    }
    for (const value of merged) this.#merge(map, this.#tree(value, origin.name, depth + 1, line), line);
    this.#origins.set(map, origin);
    return map;
  }

  /** A merge key: what the map itself does not have it takes from the one that is named, or from the first of several. */
  #merge(map: { [key: string]: YamlTree }, source: YamlTree, line: number): void {
    for (const part of Array.isArray(source) ? source : [source]) {
      if (part instanceof YamlLeaf || Array.isArray(part))
        this.#complain(line, 'merge with <<: expected aliases of maps');
      else for (const [key, value] of Object.entries(part)) if (!Object.hasOwn(map, key)) map[key] = value;
    }
  }

  #lineAt(offset: number): number {
    return Math.max(1, this.#lines.linePos(offset).line);
  }

  #complain(line: number, what: string): void {
    this.#complaints.add('ERR_CONFIG_FILE', `${this.#path}:${line}: Cannot ${what}`);
  }
}

/** The text is no file of ours from here on. */
class Unreadable extends Refusal {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** As it was written, or, where it was quoted, as it was meant. */
function textOf(node: {
  readonly value: unknown;
  readonly source?: string | undefined;
  readonly type?: unknown;
}): string {
  return node.type === 'PLAIN' && node.source !== undefined ? node.source : String(node.value);
}

/** A part of a path of keys: quoted where it has more than letters and digits. */
function keyText(key: string): string {
  return /^\w+$/.test(key) ? key : `"${shown(key).replaceAll(/^"|"$/g, '')}"`;
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
