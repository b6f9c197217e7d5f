import type { SocketAddress } from '../config/config.ts';
import { formatSocketAddress, isWildcard } from '../config/socket-address.ts';
import type { Clock } from '../core/clock.ts';
import { UDP_BACKLOG, UDP_BATCHES_A_TURN, UDP_QUERY_BYTES } from '../core/limits.ts';
import type { Traffic } from '../metrics/traffic.ts';
import { BATCH, SLOT_BYTES } from '../native/batch-layout.ts';
import { DatagramBatch } from '../native/datagram-batch.ts';
import { loadLibc } from '../native/libc.ts';
import { decodeSockaddr, encodeSockaddr } from '../native/sockaddr.ts';
import { UdpDescriptor } from '../native/udp-descriptor.ts';
import type { Client, ReplySink } from '../resolve/client.ts';
import { ANSWERED, type Responder } from '../resolve/responder.ts';
import { copyBytes } from '../wire/copy.ts';
import { Reply } from '../wire/reply.ts';
import { UDP_RECEIVE_BUFFER_BYTES, type UdpListener, type UdpListenerParts } from './udp-listener.ts';
import { UdpOutbox } from './udp-outbox.ts';
import { DgramReadiness, type Readiness, type ReadinessTarget, UvReadiness } from './udp-readiness.ts';

/** Records up to so many bytes are copied behind the question: for the kernel one piece is cheaper than three. */
const COPY_BYTES = 256;

/**
 * UDP on one address in batches: up to 64 datagrams come with one system call, and the answers of those that can be answered at once leave with another,
 * each made in the slot that its query came in. Bound to a wildcard it answers from the address that was asked.
 */
export class BatchedUdpListener implements UdpListener, Client, ReadinessTarget {
  readonly kind: 'batched' | 'batched-dgram';
  readonly isStream = false;
  readonly traffic: Traffic;
  readonly address: SocketAddress;
  readonly receiveBufferBytes: number;
  received = 0;
  receiveErrors = 0;
  readonly #descriptor: UdpDescriptor;
  readonly #clock: Clock;
  readonly #responder: Responder;
  readonly #batch: DatagramBatch;
  readonly #batchOut: DatagramBatch;
  readonly #outbox: UdpOutbox;
  readonly #slab: Uint8Array | undefined;
  readonly #reply = new Reply();
  #readiness: Readiness | undefined;
  /** Where the message lies that is being answered. */
  #slot = 0;
  #held = 0;
  #isFinishing = false;
  #isClosed = false;
  #lastKernelDrops = 0;
  #onClosed: () => void = () => {};
  readonly #closed: Promise<void>;

  /** Throws what the system said. `kind` must have been found to work here (`UdpOpener`). */
  static async open(
    address: SocketAddress,
    kind: 'batched' | 'batched-dgram',
    parts: UdpListenerParts,
  ): Promise<BatchedUdpListener> {
    const libc = await loadLibc();
    const descriptor = new UdpDescriptor(libc, {
      ...address,
      receiveBufferBytes: UDP_RECEIVE_BUFFER_BYTES,
      isWildcard: isWildcard(address.host),
      adopted: parts.adopted,
    });
    const onUncut = (): void => {
      const fields = { udp: formatSocketAddress({ ...address, port: descriptor.port }) };
      parts.log?.warn(fields, 'the kernel cannot cut UDP answers for an interface: each leaves by itself from now on');
    };
    const newBatch = (): DatagramBatch => new DatagramBatch({ libc, descriptor, slab: parts.slab, onUncut });
    const listener = new BatchedUdpListener(address, kind, descriptor, newBatch(), newBatch(), parts);
    listener.#readiness =
      kind === 'batched' ? new UvReadiness(descriptor, listener) : await DgramReadiness.open(descriptor, listener);
    return listener;
  }

  private constructor(
    { host }: SocketAddress,
    kind: 'batched' | 'batched-dgram',
    descriptor: UdpDescriptor,
    batch: DatagramBatch,
    batchOut: DatagramBatch,
    parts: UdpListenerParts,
  ) {
    this.kind = kind;
    this.address = { host, port: descriptor.port };
    this.traffic = parts.traffics.open(`dns://${formatSocketAddress(this.address)}`, 'udp', descriptor.isIPv6 ? 2 : 1);
    this.receiveBufferBytes = descriptor.receiveBufferBytes;
    this.#descriptor = descriptor;
    this.#clock = parts.clock;
    this.#responder = parts.responder;
    this.#slab = parts.slab;
    this.#batch = batch;
    this.#batchOut = batchOut;
    this.#outbox = new UdpOutbox({
      batch: batchOut,
      backlog: parts.backlog ?? UDP_BACKLOG,
      awaitWritable: () => this.#readiness?.awaitWritable(),
    });
    this.#closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
  }

  get peer(): string {
    return formatSocketAddress(decodeSockaddr(this.#batch.envelope(this.#slot), 0));
  }

  readAddress(target: Uint8Array): void {
    this.#batch.readSender(this.#slot, target);
  }

  get held(): number {
    return this.#held;
  }

  get backlogDrops(): number {
    return this.#outbox.drops;
  }

  get sendErrors(): number {
    return this.#batch.sendErrors + this.#batchOut.sendErrors;
  }

  get segmented(): number {
    return this.#batch.segmented + this.#batchOut.segmented;
  }

  get kernelDrops(): number {
    if (!this.#isClosed) this.#lastKernelDrops = this.#descriptor.drops;
    return this.#lastKernelDrops;
  }

  hold(): ReplySink {
    this.#held++;
    return new BatchedUdpSink(this, this.#outbox, this.#batch.envelope(this.#slot));
  }

  holdStream(): undefined {}

  /** One held message has its answer, or will have none. */
  release(): void {
    this.#held--;
    if (this.#isFinishing && this.#held === 0) this.destroy();
  }

  get descriptor(): number {
    return this.#isClosed ? -1 : this.#descriptor.fd;
  }

  pause(): void {
    this.#readiness?.stopReading();
  }

  async resume(): Promise<void> {
    if (!this.#isFinishing) await this.#readiness?.startReading();
  }

  finish(): Promise<void> {
    this.#isFinishing = true;
    this.#readiness?.stopReading();
    if (this.#held === 0) this.destroy();
    return this.#closed;
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#outbox.close();
    this.#lastKernelDrops = this.kernelDrops;
    this.#isClosed = true;
    this.#readiness?.close(this.#onClosed);
  }

  onReadable(): void {
    const batch = this.#batch;
    for (let i = 0; i < UDP_BATCHES_A_TURN.value; i++) {
      if (this.#isFinishing) return;
      const count = batch.receive();
      if (count < 0) this.receiveErrors++;
      if (count <= 0) return;
      this.#answer(count);
      if (count < BATCH) return;
    }
    UDP_BATCHES_A_TURN.hits++;
  }

  onWritable(): void {
    this.#outbox.onWritable();
  }

  onDatagram(message: Uint8Array, port: number, host: string): void {
    if (this.#isFinishing) return;
    this.#batch.place(message, encodeSockaddr(host, port));
    this.#answer(1);
    this.onReadable();
  }

  #answer(count: number): void {
    this.received += count;
    const batch = this.#batch;
    const { bytes } = batch;
    const responder = this.#responder;
    const reply = this.#reply;
    const nowMs = this.#clock.nowMs();
    for (let slot = 0; slot < count; slot++) {
      // Nothing can be sent to port 0, which only a forger writes.
      if (!batch.hasPort(slot)) continue;
      if (batch.isCut(slot)) UDP_QUERY_BYTES.hits++;
      this.#slot = slot;
      const start = batch.start(slot);
      if (responder.respond(bytes, start, start + batch.length(slot), nowMs, this, reply) === ANSWERED) {
        this.#put(slot, start, reply);
      }
    }
    if (batch.pending > 0) this.#outbox.send(batch);
  }

  /** Makes the reply of the query that lies in the slot, whose first bytes are its head. */
  #put(slot: number, start: number, reply: Reply): void {
    const batch = this.#batch;
    const { bytes } = batch;
    const { headEnd, bodyStart, bodyEnd } = reply;
    if (reply.head !== bytes || reply.length > SLOT_BYTES) {
      this.#outbox.add(reply, batch.envelope(slot));
    } else if (bodyEnd - bodyStart > COPY_BYTES && reply.body === this.#slab) {
      const tailEnd = copyBytes(reply.tail, reply.tailStart, reply.tailEnd, bytes, headEnd);
      batch.putGathered(slot, headEnd - start, bodyStart, bodyEnd, tailEnd - headEnd);
    } else {
      const afterBody = copyBytes(reply.body, bodyStart, bodyEnd, bytes, headEnd);
      batch.put(slot, copyBytes(reply.tail, reply.tailStart, reply.tailEnd, bytes, afterBody) - start);
    }
  }
}

/** The sender of one datagram whose answer comes later. */
class BatchedUdpSink implements ReplySink {
  readonly #listener: BatchedUdpListener;
  readonly #outbox: UdpOutbox;
  readonly #envelope: Uint8Array;

  constructor(listener: BatchedUdpListener, outbox: UdpOutbox, envelope: Uint8Array) {
    this.#listener = listener;
    this.#outbox = outbox;
    this.#envelope = envelope;
  }

  send(reply: Reply): void {
    this.#outbox.add(reply, this.#envelope);
    this.#listener.release();
  }

  drop(): void {
    this.#listener.release();
  }
}
