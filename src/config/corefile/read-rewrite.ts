import type { ReadContext } from './block-draft.ts';
import { noteAt } from './note.ts';
import type { TokenCursor } from './token-cursor.ts';

/** All `rewrite` of one block: names are asked as clients write them, so each is named with what it did. */
export function readRewrite(cursor: TokenCursor, { notes }: ReadContext): void {
  while (cursor.next()) {
    const at = cursor.token;
    const words = cursor.remainingArgs().map(({ text }) => text);
    while (cursor.nextInBlock()) words.push(cursor.text);
    const [field, ...rule] = words.filter((word) => word !== 'stop' && word !== 'continue');
    const [from, to] = rule[0] === 'exact' ? rule.slice(1) : rule;
    const isExact = field === 'name' && to !== undefined && (rule[0] === 'exact' || rule.length === 2);
    const text = isExact
      ? `is left out: ${from} is asked as ${from}, not as ${to}; move the rule to the cluster DNS, which is asked for names of the cluster, or make ${from} an alias in its own zone`
      : `is left out: names, types and options are asked as clients write them (${words.join(' ')}); move the rule to the cluster DNS`;
    notes.push(noteAt(at, 'rewrite', text, true));
  }
}
