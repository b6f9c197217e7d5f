import { Refusal } from '../refusal.ts';
import { placeOf, type Token } from './token.ts';

/** Why something in a Corefile cannot be taken, and where it stands. */
export class CorefileRefusal extends Refusal {
  /** `Corefile:12` */
  readonly place: string;

  constructor(token: Token, reason: string) {
    super(reason);
    this.place = placeOf(token);
  }
}

/** A place in a list of words that knows lines and blocks. Two words are on one line where file and line say so, wherever they came from. */
export class TokenCursor {
  readonly #tokens: Token[];
  readonly #file: string;
  #at = -1;
  #nesting = 0;

  /** `file` is what is blamed where there is no word to blame. */
  constructor(tokens: readonly Token[], file: string) {
    this.#tokens = [...tokens];
    this.#file = file;
  }

  get length(): number {
    return this.#tokens.length;
  }

  /** The word that the cursor is on; before the first and behind the last one an empty word. */
  get token(): Token {
    return this.#tokens[this.#at] ?? { file: this.#file, line: this.#tokens.at(-1)?.line ?? 1, text: '' };
  }

  get text(): string {
    return this.#tokens[this.#at]?.text ?? '';
  }

  isAt(text: string): boolean {
    return this.text === text;
  }

  next(): boolean {
    if (this.#at >= this.#tokens.length - 1) return false;
    this.#at++;
    return true;
  }

  /** To the next word, where it is on this line. */
  nextArg(): boolean {
    const next = this.#tokens[this.#at + 1];
    if (next === undefined) return false;
    if (this.#at >= 0) {
      const here = this.#tokens[this.#at]!;
      if (here.file !== next.file || here.line + lineBreaks(here) !== next.line) return false;
    }
    this.#at++;
    return true;
  }

  /** All words to the end of the line, or to a `{` on it, which is not taken. */
  remainingArgs(): Token[] {
    const args: Token[] = [];
    while (this.nextArg()) {
      if (this.isAt('{')) {
        this.#at--;
        break;
      }
      args.push(this.token);
    }
    return args;
  }

  /**
   * To the next word of the block that opens on this line, as the condition of a loop: false where there is no block, and at its `}`, which is taken.
   * A `{` inside a block is entered on the way.
   */
  nextInBlock(): boolean {
    if (this.#nesting > 0) {
      if (!this.next()) return false;
      if (!this.isAt('{')) {
        if (!this.isAt('}')) return true;
        this.#nesting--;
        return false;
      }
      this.#at--;
    }
    if (!this.nextArg()) return false;
    if (!this.isAt('{')) {
      this.#at--;
      return false;
    }
    if (!this.next() || this.isAt('}')) return false;
    this.#nesting++;
    return true;
  }

  /** Whether the word stands on another line than the one before it. */
  get isNewLine(): boolean {
    const here = this.#tokens[this.#at];
    const before = this.#tokens[this.#at - 1];
    if (before === undefined) return true;
    return here !== undefined && (before.file !== here.file || before.line + lineBreaks(before) < here.line);
  }

  /** So that `next` comes to the same word once more. */
  stepBack(): void {
    this.#at--;
  }

  /** `tokens` take the place of the word and the `before` words in front of it; the cursor is on the first of them. */
  replace(before: number, tokens: readonly Token[]): void {
    this.#at -= before;
    const behind = this.#tokens.splice(this.#at);
    for (const token of tokens) this.#tokens.push(token);
    for (let i = before + 1; i < behind.length; i++) this.#tokens.push(behind[i]!);
  }

  refuse(reason: string): never {
    throw new CorefileRefusal(this.token, reason);
  }
}

function lineBreaks({ text }: Token): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
