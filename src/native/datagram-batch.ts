import {
  BATCH,
  BLOCK_BYTES,
  ENVELOPE_BYTES,
  ENVELOPE_CONTROL,
  ENVELOPES,
  HEADERS_IN_AT,
  HEADERS_OUT_AT,
  SEGMENT_HEADERS_AT,
  SLOT_BYTES,
  SLOT_STRIDE,
  setAddress,
  VECTORS_IN_AT,
  VECTORS_OUT,
  VECTORS_OUT_AT,
} from './batch-layout.ts';
import type { Libc } from './libc.ts';
import { Segmentation } from './segmentation.ts';
import { mapSockaddr } from './sockaddr.ts';
import {
  AF_INET6,
  CMSGHDR_BYTES,
  EAGAIN,
  IOVEC_BYTES,
  IOVEC_LENGTH,
  MMSGHDR_BYTES,
  MMSGHDR_LENGTH,
  MSG_DONTWAIT,
  MSG_TRUNC,
  MSGHDR_CONTROL,
  MSGHDR_CONTROL_LENGTH,
  MSGHDR_FLAGS,
  MSGHDR_NAME,
  MSGHDR_NAME_LENGTH,
  MSGHDR_VECTOR_COUNT,
  MSGHDR_VECTORS,
  PKTINFO_INTERFACE,
  PKTINFO_SPACE,
  PKTINFO6_ADDRESS,
  PKTINFO6_INTERFACE,
  PKTINFO6_SPACE,
  SOCKADDR_IN_BYTES,
  SOCKADDR_IN6_BYTES,
  SOCKADDR_PORT,
} from './struct-layout.ts';
import type { UdpDescriptor } from './udp-descriptor.ts';

/**
 * From so many messages on, those to one client leave in one piece. Below, a node is calm, and who watches its interface sees every answer by
 * itself: a capture shows such a piece as one long datagram.
 */
const SEGMENTED_FROM = 16;

const NOTHING = new Uint8Array(0);

export interface DatagramBatchParts {
  libc: Libc;
  /** Bound to a wildcard: messages come with the address that they were sent to, and answers leave from there. */
  descriptor: UdpDescriptor;
  /** Memory that messages may be gathered from. It is neither moved nor freed. */
  slab?: Uint8Array<ArrayBuffer> | undefined;
  /** The kernel does not cut messages for some interface: from now on each leaves by itself. */
  onUncut?: () => void;
}

/**
 * Datagrams in and out of one socket, 64 a system call. All memory that the kernel is told of is one block, which lives as long as this object: a
 * buffer that nothing refers to is collected even while its address is in use, and the kernel then writes into freed memory.
 *
 *   slot i      the bytes of message i; its answer is made in place, or gathered from slot, slab and slot again
 *   envelope i  its sender, and our address
 *   header, vectors   struct mmsghdr and struct iovec; those of the k-th message out point to the slot that it was put in
 */
export class DatagramBatch {
  /** All slots. Slot i begins at `start(i)`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Messages out that were put and not yet sent, in order. */
  pending = 0;
  /** Messages that the kernel refused for good. */
  sendErrors = 0;
  /** Messages that left in one piece with others to the same client. */
  segmented = 0;
  readonly #libc: Libc;
  readonly #descriptor: UdpDescriptor;
  readonly #onUncut: () => void;
  readonly #fd: number;
  readonly #words: Uint32Array;
  readonly #address: number;
  readonly #slab: Uint8Array;
  readonly #slabAddress: number;
  readonly #nameBytes: number;
  readonly #controlBytes: number;
  /** Which slot the k-th message out lies in. */
  readonly #slotOf = new Uint8Array(BATCH);
  /** Where the k-th message's middle lies in the slab. */
  readonly #middle = new Float64Array(BATCH);
  readonly #segmentation: Segmentation;
  /** The messages leave in the order of `#segmentation`. */
  #isReordered = false;
  /** What the first message out points to while it is no slot. */
  #outside: Uint8Array<ArrayBuffer> = NOTHING;

  constructor({ libc, descriptor, slab, onUncut = () => {} }: DatagramBatchParts) {
    const { fd, isIPv6, isWildcard } = descriptor;
    const block = new ArrayBuffer(BLOCK_BYTES);
    this.#libc = libc;
    this.#descriptor = descriptor;
    this.#onUncut = onUncut;
    this.#fd = fd;
    this.bytes = new Uint8Array(block);
    this.#words = new Uint32Array(block);
    this.#address = libc.addressOf(block);
    this.#slab = slab ?? NOTHING;
    this.#slabAddress = slab === undefined ? 0 : libc.addressOf(slab.buffer) + slab.byteOffset;
    this.#nameBytes = isIPv6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES;
    this.#controlBytes = isWildcard ? (isIPv6 ? PKTINFO6_SPACE : PKTINFO_SPACE) : 0;
    for (let i = 0; i < BATCH; i++) this.#lay(i);
    this.#segmentation = new Segmentation(this.#words, this.#address, this.#nameBytes);
  }

  start(slot: number): number {
    return slot * SLOT_STRIDE;
  }

  /** Length of the message that came in a slot. */
  length(slot: number): number {
    return this.#words[(HEADERS_IN_AT + slot * MMSGHDR_BYTES + MMSGHDR_LENGTH) >> 2]!;
  }

  /** Whether the message was longer than a slot: its end is lost. */
  isCut(slot: number): boolean {
    return (this.#words[(HEADERS_IN_AT + slot * MMSGHDR_BYTES + MSGHDR_FLAGS) >> 2]! & MSG_TRUNC) !== 0;
  }

  /** False for a sender with port 0, whom nothing can be sent to. */
  hasPort(slot: number): boolean {
    const at = ENVELOPES + slot * ENVELOPE_BYTES + SOCKADDR_PORT;
    return (this.bytes[at]! | this.bytes[at + 1]!) !== 0;
  }

  /** A copy of where the message in a slot came from, which an answer can be put with later. */
  envelope(slot: number): Uint8Array {
    const at = ENVELOPES + slot * ENVELOPE_BYTES;
    // One for every miss: a loop, for `subarray` would make a view first.
    const copy = new Uint8Array(ENVELOPE_CONTROL + this.#controlBytes);
    for (let i = 0; i < copy.length; i++) copy[i] = this.bytes[at + i]!;
    return copy;
  }

  /** Writes the address that the message in a slot came from to the start of `target`, as `mapSockaddr` does. */
  readSender(slot: number, target: Uint8Array): void {
    mapSockaddr(this.bytes, ENVELOPES + slot * ENVELOPE_BYTES, target);
  }

  /** Takes what has come, up to 64; returns how many, or -1 where the kernel gave an error instead. 0: nothing is there. */
  receive(): number {
    if (this.#controlBytes > 0) this.#resetControl();
    const count = this.#libc.recvmmsg(this.#fd, this.#address + HEADERS_IN_AT, BATCH, MSG_DONTWAIT, 0);
    if (count < 0) return this.#libc.errno() === EAGAIN ? 0 : -1;
    if (this.#controlBytes > 0) for (let slot = 0; slot < count; slot++) this.#forgetInterface(slot);
    return count;
  }

  /** Makes slot 0 hold a message that came by another way. False where it is too long. */
  place(message: Uint8Array, sockaddr: Uint8Array): boolean {
    if (message.length > SLOT_BYTES) return false;
    this.bytes.set(message);
    this.bytes.set(sockaddr, ENVELOPES);
    this.#words[(HEADERS_IN_AT + MMSGHDR_LENGTH) >> 2] = message.length;
    this.#words[(HEADERS_IN_AT + MSGHDR_FLAGS) >> 2] = 0;
    return true;
  }

  /** Writes the envelope of a message that is put next. */
  setEnvelope(slot: number, envelope: Uint8Array): void {
    const at = ENVELOPES + slot * ENVELOPE_BYTES;
    for (let i = 0; i < envelope.length; i++) this.bytes[at + i] = envelope[i]!;
  }

  /** The first `length` bytes of the slot go to whom its envelope names. */
  put(slot: number, length: number): void {
    const out = this.pending++;
    if (this.#slotOf[out] !== slot) this.#aim(out, slot);
    this.#middle[out] = -1;
    const words = this.#words;
    words[(HEADERS_OUT_AT + out * MMSGHDR_BYTES + MSGHDR_VECTOR_COUNT) >> 2] = 1;
    words[(VECTORS_OUT_AT + out * VECTORS_OUT * IOVEC_BYTES + IOVEC_LENGTH) >> 2] = length;
  }

  /**
   * As `put`, of three pieces: the first `headLength` bytes of the slot, [bodyStart, bodyEnd) of the slab, and the `tailLength` bytes of the slot
   * that follow the head.
   */
  putGathered(slot: number, headLength: number, bodyStart: number, bodyEnd: number, tailLength: number): void {
    this.put(slot, headLength);
    const out = this.pending - 1;
    this.#middle[out] = bodyStart;
    const words = this.#words;
    words[(HEADERS_OUT_AT + out * MMSGHDR_BYTES + MSGHDR_VECTOR_COUNT) >> 2] = tailLength === 0 ? 2 : 3;
    const body = (VECTORS_OUT_AT + (out * VECTORS_OUT + 1) * IOVEC_BYTES) >> 2;
    setAddress(words, body, this.#slabAddress + bodyStart);
    words[body + 2] = bodyEnd - bodyStart;
    if (tailLength === 0) return;
    setAddress(words, body + 4, this.#address + slot * SLOT_STRIDE + headLength);
    words[body + 6] = tailLength;
  }

  /**
   * Sends all that is pending. Returns how many of them are done with, which is fewer than `pending` where the kernel takes no more for now; one that it
   * refuses for good is counted and left out. `clear` comes next.
   */
  send(): number {
    const segmentation = this.#segmentation;
    this.#isReordered = false;
    // Where a wildcard is bound, each message says which address it leaves from: its control message is taken.
    if (this.pending >= SEGMENTED_FROM && this.#descriptor.canSegment && this.#controlBytes === 0) {
      const trains = segmentation.arrange(this.pending, this.#slotOf);
      if (trains < this.pending) return this.#sendTrains(segmentation, trains);
    }
    let from = 0;
    while (from < this.pending) {
      const headers = this.#address + HEADERS_OUT_AT + from * MMSGHDR_BYTES;
      const sent = this.#libc.sendmmsg(this.#fd, headers, this.pending - from, MSG_DONTWAIT);
      if (sent > 0) {
        from += sent;
      } else if (this.#libc.errno() === EAGAIN) {
        return from;
      } else {
        this.sendErrors++;
        from++;
      }
    }
    return from;
  }

  #sendTrains(segmentation: Segmentation, trains: number): number {
    this.#isReordered = true;
    let train = 0;
    let done = 0;
    while (train < trains) {
      const headers = this.#address + SEGMENT_HEADERS_AT + train * MMSGHDR_BYTES;
      const sent = this.#libc.sendmmsg(this.#fd, headers, trains - train, MSG_DONTWAIT);
      if (sent > 0) {
        for (const end = train + sent; train < end; train++) {
          const size = segmentation.size(train);
          if (size > 1) this.segmented += size;
          done += size;
        }
        continue;
      }
      if (this.#libc.errno() === EAGAIN) return done;
      const end = done + segmentation.size(train++);
      done = this.#sendSingly(segmentation, done, end);
      if (done < end) return done;
    }
    return done;
  }

  /**
   * What the kernel did not take as a train, one by one, as `send` does. That it takes them so means that it cannot cut them (an interface
   * without checksum offload says EIO, one with a small MTU EINVAL), and it is not asked to again.
   */
  #sendSingly(segmentation: Segmentation, from: number, end: number): number {
    let refused = 0;
    for (let i = from; i < end; i++) {
      const header = this.#address + HEADERS_OUT_AT + segmentation.order[i]! * MMSGHDR_BYTES;
      if (this.#libc.sendmmsg(this.#fd, header, 1, MSG_DONTWAIT) > 0) continue;
      if (this.#libc.errno() === EAGAIN) return i;
      this.sendErrors++;
      refused++;
    }
    const isTrain = end - from > 1;
    if (isTrain && refused < end - from && this.#descriptor.canSegment) {
      this.#descriptor.canSegment = false;
      this.#onUncut();
    }
    return end;
  }

  clear(): void {
    this.pending = 0;
  }

  /** A copy of the message that leaves as the k-th, whole. */
  message(k: number): Uint8Array<ArrayBuffer> {
    const out = this.#outOf(k);
    const start = this.#slotOf[out]! * SLOT_STRIDE;
    const vectors = (VECTORS_OUT_AT + out * VECTORS_OUT * IOVEC_BYTES) >> 2;
    const headLength = this.#words[vectors + 2]!;
    const middle = this.#middle[out]!;
    if (middle === -1) return new Uint8Array(this.bytes.subarray(start, start + headLength));
    const bodyLength = this.#words[vectors + 6]!;
    const hasTail = this.#words[(HEADERS_OUT_AT + out * MMSGHDR_BYTES + MSGHDR_VECTOR_COUNT) >> 2] === VECTORS_OUT;
    const tailLength = hasTail ? this.#words[vectors + 10]! : 0;
    const message = new Uint8Array(headLength + bodyLength + tailLength);
    message.set(this.bytes.subarray(start, start + headLength));
    message.set(this.#slab.subarray(middle, middle + bodyLength), headLength);
    message.set(this.bytes.subarray(start + headLength, start + headLength + tailLength), headLength + bodyLength);
    return message;
  }

  /** A copy of the envelope of the message that leaves as the k-th. */
  envelopeOut(k: number): Uint8Array {
    return this.envelope(this.#slotOf[this.#outOf(k)]!);
  }

  #outOf(k: number): number {
    return this.#isReordered ? this.#segmentation.order[k]! : k;
  }

  /** Sends one message of any length at once, when nothing is pending. Returns false where the kernel takes none for now. */
  sendOne(message: Uint8Array<ArrayBuffer>, envelope: Uint8Array): boolean {
    this.#outside = message;
    this.setEnvelope(0, envelope);
    this.put(0, message.length);
    const address = this.#libc.addressOf(this.#outside.buffer) + this.#outside.byteOffset;
    setAddress(this.#words, VECTORS_OUT_AT >> 2, address);
    const isTaken = this.send() === 1;
    this.clear();
    this.#aim(0, 0);
    this.#outside = NOTHING;
    return isTaken;
  }

  #lay(i: number): void {
    const words = this.#words;
    const inward = (HEADERS_IN_AT + i * MMSGHDR_BYTES) >> 2;
    const vector = (VECTORS_IN_AT + i * IOVEC_BYTES) >> 2;
    setAddress(words, vector, this.#address + i * SLOT_STRIDE);
    words[vector + (IOVEC_LENGTH >> 2)] = SLOT_BYTES;
    setAddress(words, inward + (MSGHDR_VECTORS >> 2), this.#address + VECTORS_IN_AT + i * IOVEC_BYTES);
    words[inward + (MSGHDR_VECTOR_COUNT >> 2)] = 1;
    this.#layEnvelope(inward, i);
    const outward = (HEADERS_OUT_AT + i * MMSGHDR_BYTES) >> 2;
    const vectors = this.#address + VECTORS_OUT_AT + i * VECTORS_OUT * IOVEC_BYTES;
    setAddress(words, outward + (MSGHDR_VECTORS >> 2), vectors);
    this.#aim(i, i);
  }

  /** Points the k-th message out at another slot. */
  #aim(out: number, slot: number): void {
    this.#slotOf[out] = slot;
    setAddress(
      this.#words,
      (VECTORS_OUT_AT + out * VECTORS_OUT * IOVEC_BYTES) >> 2,
      this.#address + slot * SLOT_STRIDE,
    );
    this.#layEnvelope((HEADERS_OUT_AT + out * MMSGHDR_BYTES) >> 2, slot);
  }

  #layEnvelope(header: number, slot: number): void {
    const words = this.#words;
    const envelope = this.#address + ENVELOPES + slot * ENVELOPE_BYTES;
    setAddress(words, header + (MSGHDR_NAME >> 2), envelope);
    words[header + (MSGHDR_NAME_LENGTH >> 2)] = this.#nameBytes;
    if (this.#controlBytes === 0) return;
    setAddress(words, header + (MSGHDR_CONTROL >> 2), envelope + ENVELOPE_CONTROL);
    words[header + (MSGHDR_CONTROL_LENGTH >> 2)] = this.#controlBytes;
  }

  /** The kernel wrote how long the control messages were that came. */
  #resetControl(): void {
    for (let i = 0; i < BATCH; i++) {
      this.#words[(HEADERS_IN_AT + i * MMSGHDR_BYTES + MSGHDR_CONTROL_LENGTH) >> 2] = this.#controlBytes;
    }
  }

  /** The answer takes the way that the routes say, which may be another interface; but for a link-local address, which is one of many without it. */
  #forgetInterface(slot: number): void {
    const envelope = ENVELOPES + slot * ENVELOPE_BYTES;
    const info = envelope + ENVELOPE_CONTROL + CMSGHDR_BYTES;
    if (this.bytes[envelope] !== AF_INET6) this.#words[(info + PKTINFO_INTERFACE) >> 2] = 0;
    else if (!this.#isLinkLocal(info + PKTINFO6_ADDRESS)) this.#words[(info + PKTINFO6_INTERFACE) >> 2] = 0;
  }

  #isLinkLocal(at: number): boolean {
    return this.bytes[at] === 0xfe && (this.bytes[at + 1]! & 0xc0) === 0x80;
  }
}
