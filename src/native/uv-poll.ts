import { isMainThread } from 'node:worker_threads';
import { foreign, type Koffi } from './foreign.ts';

export const UV_READABLE = 1;
export const UV_WRITABLE = 2;

/** Numbers of libuv's interface, which do not change: uv_handle_type, and the code for an error that the descriptor holds. */
const UV_POLL = 8;

/** What libuv exports out of node. */
interface Uv {
  readonly koffi: Koffi;
  readonly loop: number;
  readonly handleBytes: number;
  readonly init: (loop: number, handle: number, fd: number) => number;
  readonly start: (handle: number, events: number, callback: bigint) => number;
  readonly stop: (handle: number) => number;
  readonly close: (handle: number, callback: bigint) => void;
  readonly onReady: ReturnType<Koffi['pointer']>;
  readonly onClosed: bigint;
}

/** Open handles by address: what libuv has must be reachable until it says that it is closed. */
const open = new Map<number, UvPoll>();

/**
 * Tells when a descriptor can be read or written, by libuv's own uv_poll in the loop that node runs. The callback comes in the poll phase, outside
 * node's callback scopes: promises and `process.nextTick` begun in it wait for whatever runs next, so begin such work with `setImmediate`.
 */
export class UvPoll {
  readonly #uv: Uv;
  readonly #memory: ArrayBuffer;
  readonly #handle: number;
  readonly #callback: bigint;
  #onClosed: () => void = () => {};

  /** Readiness handles can be had in this thread: rejects where libuv's functions are missing or the loop is another one. */
  static async load(): Promise<void> {
    loaded ??= loadUv(await foreign());
  }

  /** `onReady` gets the events that came; 0: the descriptor holds an error, and nothing more comes until `watch` is called again. */
  constructor(fd: number, onReady: (events: number) => void) {
    const uv = loaded!;
    this.#uv = uv;
    this.#memory = new ArrayBuffer(uv.handleBytes);
    this.#handle = Number(uv.koffi.address(this.#memory));
    const code = uv.init(uv.loop, this.#handle, fd);
    if (code !== 0) throw new Error(`uv_poll_init: ${code}`);
    this.#callback = uv.koffi.register((_handle: number, status: number, events: number) => {
      try {
        onReady(status < 0 ? 0 : events);
      } catch (error) {
        // Thrown through libuv it would end the process without a word.
        setImmediate(() => {
          throw error;
        });
      }
    }, uv.onReady);
    open.set(this.#handle, this);
  }

  /** Waits for UV_READABLE, UV_WRITABLE or both from now on; 0: for nothing. */
  watch(events: number): void {
    if (events === 0) this.#uv.stop(this.#handle);
    else this.#uv.start(this.#handle, events, this.#callback);
  }

  /** At once the descriptor is libuv's no more, and may be closed. `onClosed`: nothing of the handle is left. */
  close(onClosed: () => void): void {
    this.#onClosed = onClosed;
    this.#uv.stop(this.#handle);
    this.#uv.close(this.#handle, this.#uv.onClosed);
  }

  /** Called by libuv's callback. */
  static closed(handle: number): void {
    const poll = open.get(handle);
    if (poll === undefined) return;
    open.delete(handle);
    setImmediate(() => {
      poll.#uv.koffi.unregister(poll.#callback);
      poll.#onClosed();
    });
  }
}

let loaded: Uv | undefined;

function loadUv(koffi: Koffi): Uv {
  if (!isMainThread) throw new Error('the loop of a worker thread is not the default one');
  const node = koffi.load(null);
  const onReady = koffi.pointer(koffi.proto('void OnReady(uintptr_t, int, int)'));
  const onClosed = koffi.pointer(koffi.proto('void OnClosed(uintptr_t)'));
  return {
    koffi,
    loop: node.func('uintptr_t uv_default_loop()')(),
    handleBytes: Number(node.func('size_t uv_handle_size(int)')(UV_POLL)),
    init: node.func('int uv_poll_init(uintptr_t, uintptr_t, int)'),
    start: node.func('int uv_poll_start(uintptr_t, int, OnReady*)'),
    stop: node.func('int uv_poll_stop(uintptr_t)'),
    close: node.func('void uv_close(uintptr_t, OnClosed*)'),
    onReady,
    onClosed: koffi.register((handle: number) => UvPoll.closed(handle), onClosed),
  };
}
