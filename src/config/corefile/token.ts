/** A word of a Corefile and where it stands. */
export interface Token {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** What Unicode calls white space, which JavaScript's own idea of it is not quite: U+0085 is, U+FEFF is not. */
const SPACE = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/**
 * The words of `text`, by the rules of the Corefile: white space parts them, `"` at the start of one quotes up to the next `"` that has no `\`
 * before it, `#` begins a comment. There is no other escape, and no continuation of a line but a quoted line break. A `#` inside a word ends the
 * word and hides what follows up to the next white space only: odd, but so the server reads it.
 */
export function tokenize(text: string, file: string): Token[] {
  const reader = new Reader(text.startsWith('\ufeff') ? text.slice(1) : text, file);
  const tokens: Token[] = [];
  for (let token = reader.next(); token !== undefined; token = reader.next()) tokens.push(token);
  return tokens;
}

/** `file:line`, as messages name a place. */
export function placeOf({ file, line }: Token): string {
  return `${file}:${line}`;
}

class Reader {
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  next(): Token | undefined {
    let isComment = false;
    let word = '';
    let line = this.#line;
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at++]!;
      if (SPACE.test(character)) {
        if (character === '\r') continue;
        if (character === '\n') {
          this.#line++;
          isComment = false;
        }
        if (word !== '') break;
      } else if (character === '#' || isComment) {
        isComment = true;
      } else {
        if (word === '') {
          line = this.#line;
          if (character === '"') return this.#quoted(line);
        }
        word += character;
      }
    }
    return word === '' ? undefined : { file: this.#file, line, text: word };
  }

  /** Behind the opening quote. A quote that is never closed ends with the text, and is no word where nothing follows it. */
  #quoted(line: number): Token | undefined {
    let word = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at]!;
      if (character === '"') {
        this.#at++;
        return { file: this.#file, line, text: word };
      }
      const isEscape = character === '\\';
      if (isEscape && ++this.#at === this.#text.length) break;
      const next = this.#text[this.#at]!;
      if (next === '\n') this.#line++;
      word += isEscape && next !== '"' ? `\\${next}` : isEscape ? '"' : next;
    }
    return word === '' ? undefined : { file: this.#file, line, text: word };
  }
}
