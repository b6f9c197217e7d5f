import { createHash } from 'node:crypto';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** What kube-proxy puts into the names of its chains: so many letters of the text's hash in base 32 (RFC 4648), 16 at most. */
export function chainHash(text: string, letters: number): string {
  const bytes = createHash('sha256').update(text).digest();
  let bits = BigInt(`0x${bytes.subarray(0, 10).toString('hex')}`);
  let name = '';
  for (let at = 0; at < 16; at++) {
    name = BASE32[Number(bits & 31n)] + name;
    bits >>= 5n;
  }
  return name.slice(0, letters);
}
