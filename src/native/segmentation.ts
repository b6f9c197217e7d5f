import {
  BATCH,
  ENVELOPE_BYTES,
  ENVELOPES,
  HEADERS_OUT_AT,
  SEGMENT_CONTROL_BYTES,
  SEGMENT_CONTROLS_AT,
  SEGMENT_HEADERS_AT,
  SEGMENT_VECTORS_AT,
  setAddress,
  VECTORS_OUT,
  VECTORS_OUT_AT,
} from './batch-layout.ts';
import {
  CMSGHDR_BYTES,
  CMSGHDR_LEVEL,
  CMSGHDR_TYPE,
  IOVEC_BYTES,
  MMSGHDR_BYTES,
  MSGHDR_CONTROL,
  MSGHDR_CONTROL_LENGTH,
  MSGHDR_NAME,
  MSGHDR_NAME_LENGTH,
  MSGHDR_VECTOR_COUNT,
  MSGHDR_VECTORS,
  SOCKADDR_IN_BYTES,
  SOL_UDP,
  UDP_SEGMENT,
} from './struct-layout.ts';

/** Places where the train for an address and a length is looked for; a power of two. */
const PLACES = 128;
/** Leaves of a mixed word the upper bits, as many as number the places. */
const PLACE_SHIFT = 32 - Math.log2(PLACES);
const NONE = 255;
/** The kernel sends no more in one piece: 64 KiB with all headers. */
const TRAIN_BYTES = 65_000;

/**
 * The messages of one batch that go to the same client and are equally long, as one message that the kernel cuts into datagrams (UDP_SEGMENT):
 * such a train goes down the kernel's path once, and that path is most of what an answer costs.
 *
 *   messages  0:a 1:b 2:a 3:a 4:c      (letter: client and length)
 *   trains    a: 0 2 3 | b: 1 | c: 4   order: 0 2 3 1 4
 */
export class Segmentation {
  /** Messages in the order in which they leave, as indexes of the batch. */
  readonly order = new Uint8Array(BATCH);
  readonly #words: Uint32Array;
  readonly #nameBytes: number;
  readonly #vectorAddress = new Uint32Array(2 * BATCH);
  /** The train that was last begun at a place; NONE: none. */
  readonly #trainAt = new Uint8Array(PLACES);
  /** Of each train, its first and last message and how many there are. */
  readonly #first = new Uint8Array(BATCH);
  readonly #last = new Uint8Array(BATCH);
  readonly #size = new Uint8Array(BATCH);
  /** The message behind each in its train. */
  readonly #next = new Uint8Array(BATCH);

  /** `words`: the batch's block, which lies at `address`. */
  constructor(words: Uint32Array, address: number, nameBytes: number) {
    this.#words = words;
    this.#nameBytes = nameBytes;
    for (let i = 0; i < BATCH; i++) {
      const header = (SEGMENT_HEADERS_AT + i * MMSGHDR_BYTES) >> 2;
      const control = SEGMENT_CONTROLS_AT + i * SEGMENT_CONTROL_BYTES;
      words[header + (MSGHDR_NAME_LENGTH >> 2)] = nameBytes;
      setAddress(words, header + (MSGHDR_CONTROL >> 2), address + control);
      words[control >> 2] = CMSGHDR_BYTES + 2;
      words[(control + CMSGHDR_LEVEL) >> 2] = SOL_UDP;
      words[(control + CMSGHDR_TYPE) >> 2] = UDP_SEGMENT;
      setAddress(this.#vectorAddress, 2 * i, address + SEGMENT_VECTORS_AT + i * IOVEC_BYTES);
    }
  }

  /** How many messages a train has. */
  size(train: number): number {
    return this.#size[train]!;
  }

  /**
   * Makes trains of the first `count` messages out, each of which lies in its `slotOf`. Returns how many there are; as many as messages where
   * no two are alike, and then nothing was laid out.
   */
  arrange(count: number, slotOf: Uint8Array): number {
    const trains = this.#couple(count, slotOf);
    if (trains < count) this.#layOut(trains);
    return trains;
  }

  #couple(count: number, slotOf: Uint8Array): number {
    const words = this.#words;
    const trainAt = this.#trainAt.fill(NONE);
    let trains = 0;
    for (let out = 0; out < count; out++) {
      const isWhole = words[(HEADERS_OUT_AT + out * MMSGHDR_BYTES + MSGHDR_VECTOR_COUNT) >> 2] === 1;
      const place = isWhole ? this.#placeOf(out, slotOf[out]!) : 0;
      const train = trainAt[place]!;
      if (isWhole && train !== NONE && this.#mayJoin(train, out, slotOf)) {
        this.#next[this.#last[train]!] = out;
        this.#last[train] = out;
        this.#size[train]!++;
      } else {
        if (isWhole) trainAt[place] = trains;
        this.#first[trains] = out;
        this.#last[trains] = out;
        this.#size[trains++] = 1;
      }
    }
    return trains;
  }

  #placeOf(out: number, slot: number): number {
    const words = this.#words;
    const name = (ENVELOPES + slot * ENVELOPE_BYTES) >> 2;
    const length = words[((VECTORS_OUT_AT + out * VECTORS_OUT * IOVEC_BYTES) >> 2) + 2]!;
    // An IPv4 address stands in the second word, beside family and port in the first. Clients on IPv6 are told apart by their ports: the second word is the
    // flow label there. Two that meet at one place only make shorter trains.
    const mixed = Math.imul(words[name]! ^ words[name + 1]! ^ Math.imul(length, 0x85ebca6b), 0x9e3779b1);
    return mixed >>> PLACE_SHIFT;
  }

  #mayJoin(train: number, out: number, slotOf: Uint8Array): boolean {
    const words = this.#words;
    const first = this.#first[train]!;
    const length = words[((VECTORS_OUT_AT + out * VECTORS_OUT * IOVEC_BYTES) >> 2) + 2]!;
    if (length !== words[((VECTORS_OUT_AT + first * VECTORS_OUT * IOVEC_BYTES) >> 2) + 2]) return false;
    if (length * (this.#size[train]! + 1) > TRAIN_BYTES) return false;
    const a = (ENVELOPES + slotOf[first]! * ENVELOPE_BYTES) >> 2;
    const b = (ENVELOPES + slotOf[out]! * ENVELOPE_BYTES) >> 2;
    // The rest of an IPv4 sockaddr is padding.
    if (words[a] !== words[b] || words[a + 1] !== words[b + 1]) return false;
    if (this.#nameBytes === SOCKADDR_IN_BYTES) return true;
    for (let i = 2; i < this.#nameBytes >> 2; i++) if (words[a + i] !== words[b + i]) return false;
    return true;
  }

  #layOut(trains: number): void {
    const words = this.#words;
    let at = 0;
    for (let train = 0; train < trains; train++) {
      const header = (SEGMENT_HEADERS_AT + train * MMSGHDR_BYTES) >> 2;
      const single = (HEADERS_OUT_AT + this.#first[train]! * MMSGHDR_BYTES) >> 2;
      words[header + (MSGHDR_NAME >> 2)] = words[single + (MSGHDR_NAME >> 2)]!;
      words[header + (MSGHDR_NAME >> 2) + 1] = words[single + (MSGHDR_NAME >> 2) + 1]!;
      at = this.#size[train] === 1 ? this.#laySingle(train, header, single, at) : this.#layTrain(train, header, at);
    }
  }

  /** The message by itself, as it stands among those that leave singly. Returns the next free place in `order`. */
  #laySingle(train: number, header: number, single: number, at: number): number {
    const words = this.#words;
    words[header + (MSGHDR_VECTORS >> 2)] = words[single + (MSGHDR_VECTORS >> 2)]!;
    words[header + (MSGHDR_VECTORS >> 2) + 1] = words[single + (MSGHDR_VECTORS >> 2) + 1]!;
    words[header + (MSGHDR_VECTOR_COUNT >> 2)] = words[single + (MSGHDR_VECTOR_COUNT >> 2)]!;
    words[header + (MSGHDR_CONTROL_LENGTH >> 2)] = 0;
    this.order[at] = this.#first[train]!;
    return at + 1;
  }

  /** Its messages one behind the other, and their length as that to cut at. Returns the next free place in `order`. */
  #layTrain(train: number, header: number, at: number): number {
    const words = this.#words;
    const size = this.#size[train]!;
    let out = this.#first[train]!;
    words[header + (MSGHDR_VECTORS >> 2)] = this.#vectorAddress[2 * at]!;
    words[header + (MSGHDR_VECTORS >> 2) + 1] = this.#vectorAddress[2 * at + 1]!;
    words[header + (MSGHDR_VECTOR_COUNT >> 2)] = size;
    words[header + (MSGHDR_CONTROL_LENGTH >> 2)] = SEGMENT_CONTROL_BYTES;
    const length = words[((VECTORS_OUT_AT + out * VECTORS_OUT * IOVEC_BYTES) >> 2) + 2]!;
    words[(SEGMENT_CONTROLS_AT + train * SEGMENT_CONTROL_BYTES + CMSGHDR_BYTES) >> 2] = length;
    for (const end = at + size; at < end; at++) {
      this.#copyVector(out, at);
      this.order[at] = out;
      out = this.#next[out]!;
    }
    return at;
  }

  #copyVector(out: number, at: number): void {
    const words = this.#words;
    const from = (VECTORS_OUT_AT + out * VECTORS_OUT * IOVEC_BYTES) >> 2;
    const to = (SEGMENT_VECTORS_AT + at * IOVEC_BYTES) >> 2;
    words[to] = words[from]!;
    words[to + 1] = words[from + 1]!;
    words[to + 2] = words[from + 2]!;
  }
}
