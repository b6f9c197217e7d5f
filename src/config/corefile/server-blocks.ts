import { COREFILE_TOKENS } from '../../core/limits.ts';
import { shown } from '../complaints.ts';
import { type CorefileFiles, Imports } from './imports.ts';
import { type Token, tokenize } from './token.ts';
import { TokenCursor } from './token-cursor.ts';
import { withVariables } from './variables.ts';

/** What stands between `{` and `}`, and the zones in front of it. */
export interface ServerBlock {
  readonly keys: readonly Token[];
  /** The words of each directive, itself included: those of the same name one behind the other, as plugins read them. */
  readonly directives: ReadonlyMap<string, readonly Token[]>;
}

export interface CorefileSource extends CorefileFiles {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of an `import` whose pattern finds no file. */
  onEmptyImport(at: Token, pattern: string): void;
}

/**
 * The server blocks of a Corefile: `import` and snippets are resolved, variables replaced. Throws `CorefileRefusal` where CoreDNS would refuse the
 * text as well, and where its imports have no end. Nothing is said of what the directives mean.
 */
export function parseServerBlocks(text: string, file: string, source: CorefileSource): ServerBlock[] {
  return new Parser(text, file, source).blocks();
}

class Parser {
  readonly #cursor: TokenCursor;
  readonly #source: CorefileSource;
  readonly #imports: Imports;

  constructor(text: string, file: string, source: CorefileSource) {
    this.#cursor = new TokenCursor(tokenize(text, file), file);
    this.#source = source;
    this.#imports = new Imports(source, source.onEmptyImport);
  }

  blocks(): ServerBlock[] {
    this.#checkLength();
    const blocks: ServerBlock[] = [];
    while (this.#cursor.next()) {
      const { keys, isAtEnd } = this.#keys();
      const snippet = keys.length === 1 ? /^\((.*)\)$/s.exec(keys[0]!.text)?.[1] : undefined;
      if (snippet !== undefined && !isAtEnd) this.#defineSnippet(snippet);
      else {
        const directives = isAtEnd ? new Map<string, Token[]>() : this.#body();
        if (keys.length > 0) blocks.push({ keys, directives });
      }
    }
    return blocks;
  }

  /** The zones up to `{` or the end of the line; a comma at the end of one means that another follows, also on the next line. */
  #keys(): { keys: Token[]; isAtEnd: boolean } {
    const cursor = this.#cursor;
    const keys: Token[] = [];
    let isAnotherDue = false;
    for (;;) {
      const key = withVariables(cursor.token, this.#source.env);
      if (key.text === 'import' && cursor.isNewLine) {
        this.#import();
        continue;
      }
      if (key.text === '{') {
        if (isAnotherDue) cursor.refuse('expected another zone after the comma, not {');
        return { keys, isAtEnd: false };
      }
      if (key.text !== '') {
        isAnotherDue = key.text.endsWith(',');
        keys.push(isAnotherDue ? { ...key, text: key.text.slice(0, -1) } : key);
      }
      if (!cursor.next()) {
        if (isAnotherDue) cursor.refuse('expected another zone after the comma, not the end of the file');
        return { keys, isAtEnd: true };
      }
      if (!isAnotherDue && cursor.isNewLine) return { keys, isAtEnd: false };
    }
  }

  /** The cursor is on `{`, or on the first directive: a file with one block needs no braces. */
  #body(): Map<string, Token[]> {
    const cursor = this.#cursor;
    const directives = new Map<string, Token[]>();
    const hasBraces = cursor.isAt('{');
    if (!hasBraces) cursor.stepBack();
    for (;;) {
      if (!cursor.next()) {
        if (hasBraces && !cursor.isAt('}')) cursor.refuse('expected }, not the end of the file');
        return directives;
      }
      if (cursor.isAt('}')) return directives;
      if (cursor.isAt('import')) {
        this.#import();
        cursor.stepBack();
        continue;
      }
      this.#directive(directives);
    }
  }

  #directive(directives: Map<string, Token[]>): void {
    const cursor = this.#cursor;
    const name = withVariables(cursor.token, this.#source.env);
    const tokens = directives.get(name.text) ?? [];
    directives.set(name.text, tokens);
    tokens.push(name);
    let nesting = 0;
    while (cursor.next()) {
      if (cursor.isAt('{')) nesting++;
      else if (cursor.isNewLine && nesting === 0) {
        cursor.stepBack();
        break;
      } else if (cursor.isAt('}')) {
        if (nesting === 0) cursor.refuse(`} without a { that it closes; is the { after ${shown(name.text)} missing?`);
        nesting--;
      } else if (cursor.isAt('import') && cursor.isNewLine) {
        this.#import();
        cursor.stepBack();
        continue;
      }
      tokens.push(withVariables(cursor.token, this.#source.env));
    }
    if (nesting > 0) cursor.refuse(`expected } for the block of ${shown(name.text)}, not the end of the file`);
  }

  /** The words of a snippet up to its `}`, as they are: what they mean shows where they are imported. */
  #defineSnippet(name: string): void {
    const cursor = this.#cursor;
    const begin = cursor.token;
    if (begin.text !== '{') cursor.refuse(`expected { after the snippet (${name})`);
    const tokens: Token[] = [];
    for (let depth = 1; ; ) {
      if (!cursor.next()) cursor.refuse(`expected } for the snippet (${name}), not the end of the file`);
      if (cursor.isAt('}') && --depth === 0) break;
      if (cursor.isAt('{')) depth++;
      tokens.push(cursor.token);
    }
    if (!this.#imports.define(name, tokens)) cursor.refuse(`there is a snippet (${name}) already`);
  }

  /** The cursor is on `import`; then it is on the first word that came in its place. */
  #import(): void {
    const cursor = this.#cursor;
    if (!cursor.nextArg()) cursor.refuse('expected a file, a pattern or the name of a snippet after import');
    const argument = withVariables(cursor.token, this.#source.env);
    if (argument.text === '')
      cursor.refuse('expected a file, a pattern or the name of a snippet after import, not nothing');
    if (cursor.nextArg()) cursor.refuse('import takes one argument: a file, a pattern, or the name of a snippet');
    cursor.replace(1, this.#imports.tokensOf(argument, argument.text));
    this.#checkLength();
  }

  #checkLength(): void {
    if (this.#cursor.length <= COREFILE_TOKENS.value) return;
    COREFILE_TOKENS.hits++;
    this.#cursor.refuse(`more than ${COREFILE_TOKENS.value} words with all that is imported`);
  }
}
