import { Refusal } from './refusal.ts';

/** RFC 1035, section 2.3.4: 255 bytes on the wire, of which one is the first length byte and one the root's. */
const MAX_TEXT = 253;
const MAX_LABEL = 63;

/** Reads a zone, with or without the trailing dot, into lower case with it: `cluster.local.`, `.`. Throws `Refusal`. */
export function parseZoneName(text: string): string {
  if (text === '.') return text;
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what ASCII means.
  if (/[^\x00-\x7f]/.test(name)) throw new Refusal('expected the name in its ASCII form (xn--…)');
  const labels = name.split('.');
  const isName =
    name.length <= MAX_TEXT && labels.every((label) => label.length <= MAX_LABEL && /^[a-z0-9_-]+$/.test(label));
  if (!isName)
    throw new Refusal('expected a domain name such as corp.example (letters, digits, - and _, at most 63 a label)');
  return `${name}.`;
}

/** Is `name` at or below `zone`? Both in lower case, with the trailing dot. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`);
}

/** The names that enclose `name`, from the closest to the root. */
export function* enclosingNames(name: string): Generator<string> {
  for (let rest = name; rest !== '.'; ) {
    rest = rest.slice(rest.indexOf('.') + 1) || '.';
    yield rest;
  }
}
