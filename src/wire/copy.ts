/** A loop beats the engine's own copy below about so many bytes, for that one needs a view made. */
const SHORT = 96;

/** Copies source[start, end) to `target` at `offset`, where there must be room; returns the offset after it. */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, offset: number): number {
  const length = end - start;
  if (length < SHORT) {
    for (let i = 0; i < length; i++) target[offset + i] = source[start + i]!;
  } else {
    target.set(source.subarray(start, end), offset);
  }
  return offset + length;
}
