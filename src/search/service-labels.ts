const MOST_LABEL = 63;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The wire labels of a Service and its namespace, as they follow each other in its names: `3 w e b 4 s h o p`. Undefined for what is no pair of labels: no question can name it. */
export function serviceLabels(namespace: string, name: string): Uint8Array | undefined {
  if (name.length === 0 || namespace.length === 0 || name.length > MOST_LABEL || namespace.length > MOST_LABEL)
    return undefined;
  const labels = Buffer.from(`\0${name}\0${namespace}`, 'latin1');
  labels[0] = name.length;
  labels[name.length + 1] = namespace.length;
  return labels;
}

/** Octets of the two labels at `at`. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]! + 1;
  return first + bytes[at + first]! + 1;
}

/** Of the two labels at `at`, the same in any case. No allocation. */
export function hashAt(bytes: Uint8Array, at: number): number {
  const end = at + lengthAt(bytes, at);
  let hash = FNV_OFFSET;
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    hash = Math.imul(hash ^ (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte), FNV_PRIME);
  }
  return hash ^ (hash >>> 15);
}
