import { equalFolded } from '../wire/name.ts';
import type { PodSearch } from './pod-search.ts';

/** How a name in a question comes of one that a program asked for: what it typed, and the first suffix of its search path. One instance reads them all, in place. */
export class SearchedName {
  /** Octets of what was typed, without a root. */
  length = 0;
  /** Offset of the label right before the suffix. */
  lastLabelAt = 0;

  /** Reads the uncompressed name in [start, nameEnd). False where no resolver with this search path would begin with it: it has another end, or too many dots. */
  read(bytes: Uint8Array, start: number, nameEnd: number, { suffixes, ndots }: PodSearch): boolean {
    const suffix = suffixes[0]!;
    const suffixAt = nameEnd - suffix.length;
    if (suffixAt <= start || !equalFolded(bytes, suffixAt, suffix, 0, suffix.length)) return false;
    let labels = 0;
    let at = start;
    while (at < suffixAt) {
      this.lastLabelAt = at;
      at += 1 + bytes[at]!;
      labels++;
    }
    this.length = suffixAt - start;
    return at === suffixAt && labels - 1 < ndots;
  }
}
