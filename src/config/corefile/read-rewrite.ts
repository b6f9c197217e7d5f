import { parseAlias } from '../aliases.ts';
import type { Alias } from '../config.ts';
import { Refusal } from '../refusal.ts';
import type { ReadContext } from './block-draft.ts';
import { type Note, noteAt } from './note.ts';
import { saidAt } from './said.ts';
import type { Token } from './token.ts';
import { CorefileRefusal, type TokenCursor } from './token-cursor.ts';

/** What is in front of a rule: whether those after it see the name that it has made. */
const MODES: readonly string[] = ['stop', 'continue'];

/** All `rewrite` of one block: one name for another has an equal, an alias; each other is named with what it did. Throws `CorefileRefusal`. */
export function readRewrite(cursor: TokenCursor, { block, notes }: ReadContext): void {
  while (cursor.next()) {
    const at = cursor.token;
    const words = cursor.remainingArgs();
    // CoreDNS reads a block only where nothing stands before it.
    while (cursor.nextInBlock()) words.push(cursor.token);
    const mode = words[0]?.text.toLowerCase() ?? '';
    const [field, ...rule] = MODES.includes(mode) ? words.slice(1) : words;
    const isNameRule = field?.text.toLowerCase() === 'name' && isExact(rule);
    const [from, to, ...rest] = rule.length === 2 ? rule : rule.slice(1);
    const alias = isNameRule ? aliasOf(from!.text, to!.text) : undefined;
    if (alias === undefined) {
      const text = `is left out: names, types and options are asked as clients write them (${words.map((word) => word.text).join(' ')}); move the rule to the cluster DNS`;
      notes.push(noteAt(at, 'rewrite', text, true));
      continue;
    }
    block.aliases.push({ ...alias, at, said: saidAt(at, 'rewrite', to!.text), isFinal: mode !== 'continue' });
    noteAnswer(at, alias.from, rest, notes);
  }
}

/** Two names alone are a rule of that kind, too. */
function isExact(rule: readonly Token[]): boolean {
  return rule.length === 2 || (rule.length > 2 && rule[0]!.text.toLowerCase() === 'exact');
}

/** Undefined where one of them is no name that the settings can have. */
function aliasOf(from: string, to: string): Alias | undefined {
  try {
    return parseAlias(from, to, '.');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return undefined;
  }
}

/** `answer auto`, and `answer name` back to the name that was asked: that is so in any case. What else is done to the answer is not. */
function noteAnswer(at: Token, from: string, rest: readonly Token[], notes: Note[]): void {
  if (rest.length > 0 && rest[0]!.text !== 'answer') {
    throw new CorefileRefusal(rest[0]!, 'expected answer, such as answer auto');
  }
  const words = rest.map(({ text }) => text).filter((word) => word !== 'answer');
  while (words[0] === 'auto' || (words[0] === 'name' && words[2] !== undefined && absolute(words[2]) === from)) {
    words.splice(0, words[0] === 'auto' ? 1 : 3);
  }
  if (words.length === 0) return;
  const text = `answers with a CNAME from ${from}, and leaves the rest as it is: answer ${words.join(' ')} is left out`;
  notes.push(noteAt(at, 'rewrite', text, true));
}

function absolute(name: string): string {
  return `${name.toLowerCase().replace(/\.$/, '')}.`;
}
