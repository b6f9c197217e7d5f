import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignpostError } from '../core/errors.ts';
import { DescriptorMessage } from '../native/descriptor-message.ts';
import { connectUnix, descriptorOf, peerUser } from '../native/descriptors.ts';
import type { Libc } from '../native/libc.ts';
import { encode, type Message, MessageReader } from './message.ts';

/** The longest that a timer takes. */
export const FOREVER_MS = 2 ** 31 - 1;

/** Between two looks whether the kernel takes, or has, something. */
const LOOK_MS = 2;

/** A connection between two processes, seen from one end: messages, and files that come with them. */
export abstract class Channel {
  readonly #reader = new MessageReader();
  readonly #messages: Message[] = [];
  readonly #waiting: { resolve: (message: Message) => void; reject: (error: Error) => void }[] = [];
  readonly #onClosed: () => void;
  #error: Error | undefined;
  /** Resolves when the other end is gone, or this one is closed. */
  readonly closed: Promise<void>;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#onClosed = resolve;
  }

  get isClosed(): boolean {
    return this.#error !== undefined;
  }

  /** Rejects where it cannot leave. Files are copied: they stay the caller's. One at a time. */
  abstract send(message: Message, files?: readonly number[]): Promise<void>;

  /** The files that came with the latest messages, the caller's from now on. Throws where there are fewer. */
  abstract takeFiles(count: number): number[];

  close(): void {
    this.lose(new SignpostError('ERR_HANDOVER_CLOSED', 'the connection was closed'));
  }

  /** The next message. Rejects with `ERR_HANDOVER_SILENT` after `limitMs`, `ERR_HANDOVER_CLOSED` where the other end is gone. */
  next(limitMs: number): Promise<Message> {
    const first = this.#messages.shift();
    if (first !== undefined) return Promise.resolve(first);
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const waiting = Promise.withResolvers<Message>();
    this.#waiting.push(waiting);
    const timer = setTimeout(() => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.reject(new SignpostError('ERR_HANDOVER_SILENT', `nothing was said for ${limitMs} ms`));
    }, limitMs);
    return waiting.promise.finally(() => clearTimeout(timer));
  }

  /** The same, and of that kind: rejects with what a refusal says, or `ERR_HANDOVER_MESSAGE`. */
  async expect(kind: string, limitMs: number): Promise<Message> {
    const message = await this.next(limitMs);
    if (message.message === kind) return message;
    const { code, reason } = message;
    if (message.message === 'refused') throw new SignpostError(String(code), `refused: ${String(reason)}`);
    throw new SignpostError('ERR_HANDOVER_MESSAGE', `expected ${kind}, received ${message.message}`);
  }

  protected take(bytes: Uint8Array): void {
    try {
      for (const message of this.#reader.read(bytes)) {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#messages.push(message);
        else waiting.resolve(message);
      }
    } catch (error) {
      this.lose(error as Error);
    }
  }

  protected lose(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.release();
    this.#onClosed();
  }

  /** Frees what the connection holds; called once. */
  protected abstract release(): void;
}

/** Over a connection of node:net: it can send files where there is a C library, and receives none. */
export class SocketChannel extends Channel {
  readonly #socket: Socket;
  readonly #libc: Libc | undefined;

  constructor(socket: Socket, libc?: Libc) {
    super();
    this.#socket = socket;
    this.#libc = libc;
    const onEnd = (): void => this.lose(new SignpostError('ERR_HANDOVER_CLOSED', 'the other process is gone'));
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', (error) => this.lose(error));
    socket.on('end', onEnd);
    socket.on('close', onEnd);
  }

  async send(message: Message, files: readonly number[] = []): Promise<void> {
    const bytes = encode(message);
    if (files.length === 0) {
      await new Promise<void>((resolve, reject) => {
        this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
      return;
    }
    const sender = new DescriptorMessage(this.#libc!);
    while (!this.isClosed) {
      if (sender.send(descriptorOf(this.#socket), bytes, files)) return;
      await sleep(LOOK_MS);
    }
    throw new SignpostError('ERR_HANDOVER_CLOSED', 'the other process is gone');
  }

  takeFiles(count: number): number[] {
    throw new SignpostError('ERR_HANDOVER_MESSAGE', `${count} files cannot be received here`);
  }

  protected release(): void {
    this.#socket.destroy();
  }
}

/** Over a bare descriptor, for node reads no files: it is looked at every other millisecond, for the seconds that a hand-over takes. */
export class FileChannel extends Channel {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #message: DescriptorMessage;
  readonly #files: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  /**
   * Throws what the system said: ECONNREFUSED and ENOENT mean that nobody listens. `ERR_HANDOVER_FOREIGN`: whoever does is neither this user nor root, in a folder that others can
   * write to; sockets and answers of anybody's would be served.
   */
  constructor(libc: Libc, path: string) {
    super();
    this.#libc = libc;
    this.#message = new DescriptorMessage(libc);
    this.#fd = connectUnix(libc, path);
    try {
      expectOurs(peerUser(libc, this.#fd), path);
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    this.#look();
  }

  async send(message: Message): Promise<void> {
    const bytes = encode(message);
    while (!this.isClosed) {
      if (this.#message.send(this.#fd, bytes, [])) return;
      await sleep(LOOK_MS);
    }
    throw new SignpostError('ERR_HANDOVER_CLOSED', 'the other process is gone');
  }

  takeFiles(count: number): number[] {
    if (this.#files.length < count) {
      throw new SignpostError('ERR_HANDOVER_MESSAGE', `${count} files were announced, ${this.#files.length} came`);
    }
    return this.#files.splice(0, count);
  }

  protected release(): void {
    clearTimeout(this.#timer);
    for (const file of this.#files.splice(0)) this.#libc.close(file);
    this.#libc.close(this.#fd);
  }

  #look(): void {
    try {
      for (;;) {
        const { bytes, descriptors } = this.#message.receive(this.#fd);
        this.#files.push(...descriptors);
        if (bytes === undefined) break;
        if (bytes.length === 0) throw new SignpostError('ERR_HANDOVER_CLOSED', 'the other process is gone');
        this.take(bytes);
        if (this.isClosed) return;
      }
    } catch (error) {
      this.lose(error as Error);
      return;
    }
    this.#timer = setTimeout(() => this.#look(), LOOK_MS);
  }
}

function expectOurs(user: number, path: string): void {
  if (user === 0 || user === process.geteuid?.()) return;
  throw new SignpostError(
    'ERR_HANDOVER_FOREIGN',
    `a process of user ${user} listens at ${path}: nothing is taken from it`,
  );
}
