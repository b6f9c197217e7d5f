/** 4,096 x 8 B = 32 KiB. Services that share a place are thought to change together, which costs a question more. */
const SLOTS = 4096;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** When something last changed of each Service: noted with one write, read with one look, and nothing to clean up. */
export class ServiceEvents {
  readonly #lastMs = new Float64Array(SLOTS).fill(Number.NEGATIVE_INFINITY);

  note(namespace: string, service: string, nowMs: number): void {
    this.#lastMs[fold(textHash(textHash(FNV_OFFSET, service), namespace))] = nowMs;
  }

  /** The place of the Service whose label is at `serviceAt`, which that of its namespace follows. */
  slotOf(bytes: Uint8Array, serviceAt: number): number {
    const namespaceAt = serviceAt + 1 + bytes[serviceAt]!;
    return fold(labelHash(labelHash(FNV_OFFSET, bytes, serviceAt), bytes, namespaceAt));
  }

  lastMs(slot: number): number {
    return this.#lastMs[slot]!;
  }
}

function fold(hash: number): number {
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

function labelHash(hash: number, bytes: Uint8Array, at: number): number {
  const end = at + 1 + bytes[at]!;
  hash = Math.imul(hash ^ bytes[at]!, FNV_PRIME);
  for (let i = at + 1; i < end; i++) hash = Math.imul(hash ^ lower(bytes[i]!), FNV_PRIME);
  return hash;
}

function textHash(hash: number, text: string): number {
  hash = Math.imul(hash ^ text.length, FNV_PRIME);
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ lower(text.charCodeAt(i)), FNV_PRIME);
  return hash;
}

function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}
