import { HEADER_LENGTH } from '../wire/constants.ts';
import type { RandomIds } from './random-ids.ts';

/** Letters of a name that are drawn; those behind them are small. A forger who has to guess so many has no chance. */
const DRAWN = 64;

/**
 * Names in random case ("0x20"): a server repeats a question as it was spelt, so a reply that spells it otherwise was made by somebody who did not see it. Of
 * each question it keeps 64 bits, at the slot that the question has in the pending table.
 */
export class MixedCase {
  readonly #words: Uint32Array;
  readonly #ids: RandomIds;

  /** `capacity`: slots of the pending table. */
  constructor(capacity: number, ids: RandomIds) {
    this.#words = new Uint32Array(2 * capacity);
    this.#ids = ids;
  }

  /** Spells the name of the query at 0, which ends at `nameEnd`, anew. */
  mix(message: Uint8Array, nameEnd: number, slot: number): void {
    const words = this.#words;
    for (let word = 2 * slot; word < 2 * slot + 2; word++) words[word] = (this.#ids.next() << 16) | this.#ids.next();
    let letter = 0;
    for (let i = HEADER_LENGTH; i < nameEnd; i++) {
      if (isLetter(message[i]!)) message[i] = (message[i]! & ~0x20) | this.#caseBit(slot, letter++);
    }
  }

  /** Whether the name of the reply at 0 is spelt as it was asked. */
  isSame(message: Uint8Array, nameEnd: number, slot: number): boolean {
    let letter = 0;
    for (let i = HEADER_LENGTH; i < nameEnd; i++) {
      if (isLetter(message[i]!) && (message[i]! & 0x20) !== this.#caseBit(slot, letter++)) return false;
    }
    return true;
  }

  /** 0x20 for a small letter. */
  #caseBit(slot: number, letter: number): number {
    if (letter >= DRAWN) return 0x20;
    return ((this.#words[2 * slot + (letter >> 5)]! >>> (letter & 31)) & 1) << 5;
  }
}

/** Length octets are below 64, so only what stands in labels can be one. */
function isLetter(octet: number): boolean {
  const small = octet | 0x20;
  return small >= 0x61 && small <= 0x7a;
}
