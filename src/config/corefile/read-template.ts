import { shown } from '../complaints.ts';
import type { ReadContext } from './block-draft.ts';
import { type Note, noteAt } from './note.ts';
import { readAt, saidAt } from './said.ts';
import type { Token } from './token.ts';
import type { TokenCursor } from './token-cursor.ts';
import { zonesOf } from './zone-key.ts';

/** One `template CLASS TYPE [ZONE...]`, as far as it matters whether it suppresses a type or a zone. */
interface Template {
  readonly at: Token;
  readonly type: string;
  /** Its class is IN, or any. */
  readonly isInternet: boolean;
  readonly zones: string[] | undefined;
  rcode: string;
  hasMatch: boolean;
  hasAnswer: boolean;
}

/** A pattern that any name fits. */
const ANYTHING = /^(?:\^)?(?:\(?\.\*\)?)?(?:\$)?$/;

/** Options that say nothing without an argument. */
const NEEDY: readonly string[] = ['match', 'answer', 'additional', 'authority', 'expr', 'var', 'rcode', 'ederror'];

/** All `template` of one block: those that suppress AAAA, or a whole zone, have an equal. Throws `CorefileRefusal`. */
export function readTemplate(cursor: TokenCursor, { block, notes }: ReadContext): void {
  while (cursor.next()) {
    const template = readStanza(cursor);
    const { at, type, zones, rcode } = template;
    if (isForeign(template)) noteForeign(template, notes);
    else if (type === 'AAAA') {
      block.noAaaa.push({ zones, said: saidAt(at, 'template', 'off') });
      if (rcode !== 'NOERROR') {
        const text = `answers AAAA with no records instead of ${rcode}, which would say that A is not there either`;
        notes.push(noteAt(at, 'template', text, false));
      }
    } else {
      block.refused.push({ zones, said: saidAt(at, 'template', '') });
      if (rcode !== 'REFUSED') {
        notes.push(noteAt(at, 'template', `answers REFUSED for these zones instead of ${rcode}`, true));
      }
    }
  }
}

function isForeign({ type, isInternet, hasAnswer, hasMatch }: Template): boolean {
  return hasAnswer || hasMatch || !isInternet || (type !== 'AAAA' && type !== 'ANY');
}

function noteForeign({ at, type, hasAnswer, hasMatch }: Template, notes: Note[]): void {
  const reason = hasAnswer
    ? 'it makes records'
    : hasMatch
      ? 'it looks at names with a pattern'
      : `it is for type ${type}`;
  const text = `is left out, since ${reason}: only a template that answers all AAAA, or all of a zone, with no records has an equal`;
  notes.push(noteAt(at, 'template', text, true));
}

function readStanza(cursor: TokenCursor): Template {
  const at = cursor.token;
  const [kind, type, ...names] = cursor.remainingArgs();
  if (kind === undefined || type === undefined) cursor.refuse('expected template CLASS TYPE, such as template IN AAAA');
  const zones = names.flatMap((token) => readAt(token, zonesOf));
  const template: Template = {
    at,
    type: type.text,
    isInternet: kind.text === 'IN' || kind.text === 'ANY',
    zones: zones.length === 0 ? undefined : zones,
    rcode: 'NOERROR',
    hasMatch: false,
    hasAnswer: false,
  };
  while (cursor.nextInBlock()) readOption(cursor, template);
  return template;
}

function readOption(cursor: TokenCursor, template: Template): void {
  const { text } = cursor;
  const args = cursor.remainingArgs();
  if (args.length === 0 && NEEDY.includes(text)) cursor.refuse(`${text} needs an argument`);
  switch (text) {
    case 'match':
      template.hasMatch ||= !args.every((pattern) => ANYTHING.test(pattern.text));
      break;
    case 'var':
    case 'expr':
      template.hasMatch = true;
      break;
    case 'answer':
    case 'additional':
      template.hasAnswer = true;
      break;
    case 'rcode':
      template.rcode = args[0]!.text;
      break;
    case 'authority':
    case 'ederror':
    case 'fallthrough':
    case 'upstream':
      break;
    default:
      cursor.refuse(`template has no option ${shown(text)}`);
  }
}
