/**
 * The search suffixes of a resolv.conf(5) as kubelet reads them for its pods: the last line `search` counts, `domain` says nothing, a suffix has no trailing dot.
 */
export function parseResolvSearch(text: string): string[] {
  let suffixes: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === 'search') suffixes = values.map((value) => (value === '.' ? value : value.replace(/\.$/, '')));
  }
  return suffixes;
}
