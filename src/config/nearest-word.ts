/** The word that `word` was most likely meant to be, or undefined where none is close: at most a third of its letters are others. */
export function nearestWord(word: string, words: readonly string[]): string | undefined {
  const near = words.map((candidate) => ({
    candidate,
    distance: distance(word.toLowerCase(), candidate.toLowerCase()),
  }));
  near.sort((a, b) => a.distance - b.distance);
  const [best] = near;
  return best !== undefined && best.distance <= Math.max(1, best.candidate.length / 3) ? best.candidate : undefined;
}

/** Letters to add, take away or change, and neighbours to swap (optimal string alignment). */
function distance(a: string, b: string): number {
  // No key is so long, and the table would be.
  if (Math.abs(a.length - b.length) > 16) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let least = Math.min(above[column]! + 1, line[column - 1]! + 1, above[column - 1]! + (isSame ? 0 : 1));
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) least = Math.min(least, before[column - 2]! + 1);
      line.push(least);
    }
    before = above;
    above = line;
  }
  return above[b.length]!;
}
