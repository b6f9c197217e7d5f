/** RFC 7541, appendix A. */
const AUTHORITY = 1;
const METHOD_POST = 3;
const PATH = 4;
const SCHEME_HTTPS = 7;
const ACCEPT = 19;
const CONTENT_LENGTH = 28;
const CONTENT_TYPE = 31;

const INDEXED = 0x80;

/** What is the same in the head of every question that is posted: all but the length, which `writeContentLength` adds at the end. */
export function postHead(authority: string, path: string, contentType: string): Uint8Array {
  const fields: [name: number, value: string][] = [
    [AUTHORITY, authority],
    [PATH, path],
    [CONTENT_TYPE, contentType],
    [ACCEPT, contentType],
  ];
  const literals = fields.flatMap(([name, value]) => {
    const text = Buffer.from(value, 'latin1');
    return [...numberOctets(0, 0x0f, name), ...numberOctets(0, 0x7f, text.length), ...text];
  });
  return Uint8Array.of(INDEXED | METHOD_POST, INDEXED | SCHEME_HTTPS, ...literals);
}

/** Octets that `writeContentLength` may need. */
export const CONTENT_LENGTH_MOST = 8;

/** Writes the field to `target`; returns the offset after it. `length`: at most 5 digits. */
export function writeContentLength(target: Uint8Array, at: number, length: number): number {
  const digits = length < 10 ? 1 : length < 100 ? 2 : length < 1000 ? 3 : length < 10_000 ? 4 : 5;
  target[at] = 0x0f;
  target[at + 1] = CONTENT_LENGTH - 0x0f;
  target[at + 2] = digits;
  const end = at + 3 + digits;
  for (let offset = end - 1, rest = length; offset >= at + 3; offset--) {
    target[offset] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return end;
}

function numberOctets(flags: number, mask: number, number: number): number[] {
  if (number < mask) return [flags | number];
  const octets = [flags | mask];
  let rest = number - mask;
  for (; rest >= 0x80; rest >>= 7) octets.push((rest & 0x7f) | 0x80);
  return [...octets, rest];
}
