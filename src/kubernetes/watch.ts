import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError, type ApiTrouble, statusError } from './api-error.ts';
import type { ApiObject, Status, WatchEvent } from './api-objects.ts';
import { Backoff, MOST_REFUSED_MS } from './backoff.ts';
import { Following } from './following.ts';
import { cutAll, JsonCutter } from './json-cutter.ts';
import { Silence } from './silence.ts';
import { acceptOf, pathOf, type WatchedKind } from './watched-kind.ts';

/** Gets what is there and what changes. Calls come one after the other and must not throw. */
export interface WatchSink<T extends ApiObject> {
  /** All objects that there are follow by `onObject`, up to `onListed`. What is known already stays in force until then. */
  onListing(): void;
  /** What was not among the objects since `onListing` is no more. */
  onListed(): void;
  /** An object as it is now: new, changed, or the same as before. */
  onObject(object: T): void;
  onDeleted(object: T): void;
}

export interface WatchParts {
  client: ApiClient;
  clock: Clock;
  log: Logger;
  /** What it is for, for the log: `knowing where the DNS pods are`. */
  purpose: string;
  /** `isFollowing` is another. Must not throw. */
  onFollowing?: () => void;
  backoff?: Backoff;
  /** After so long without a word it is asked whether it is there; see `Silence`. Of a list nothing may be awaited for longer. */
  silentMs?: number;
  /** A server that knows no streamed lists sends objects and never says that these are all: for so long that is waited for. */
  streamedListMs?: number;
  /** So long after a watch ended in good order the next one may begin, and nothing was broken: it goes on where the other ended. */
  renewalMs?: number;
  /** So long nothing may come after a break for all that was missed to count as come. */
  quietMs?: number;
}

const SILENT_MS = 90_000;
/** The server ends a watch after this, and up to twice as long: spread, so that not all nodes come again in one moment. */
const WATCH_SECONDS = 300;
/** A watch that ends sooner has not served, though no error says so. */
const SHORT_MS = 1000;
/** So many of them, one after the other, and it is said. One or two an API server that stops leaves behind. */
const SHORT_ENDS = 3;
const STREAMED_LIST_MS = 30_000;
const RENEWAL_MS = 1000;
const QUIET_MS = 100;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/**
 * Follows the objects of one kind for as long as the process lives.
 *
 *     list ──▶ watch ──(the server ends it)──▶ watch from there ──(410: version expired)──▶ list
 *       ▲        └──────(error)──▶ wait ──────────▲
 *       └──────────────────────────┘
 *
 * List and first watch are one request where the server offers it (`sendInitialEvents`, Kubernetes 1.32 and later). The version that was seen last is asked for in a new
 * list, too: another API server that is behind must not bring back what was. Errors end nothing: it waits, longer each time, and tries again.
 */
export class Watch<T extends ApiObject = ApiObject> {
  readonly kind: WatchedKind;
  /** Counted since the start. */
  lists = 0;
  watches = 0;
  events = 0;
  readonly errors = new Map<ApiTrouble, number>();
  readonly #sink: WatchSink<T>;
  readonly #parts: WatchParts;
  readonly #backoff: Backoff;
  /** After 403, and after what cannot be read: an object that is too long is as long the next time. */
  readonly #refusals: Backoff;
  readonly #following: Following;
  #abort = new AbortController();
  #isClosed = false;
  #wake: (() => void) | undefined;
  #hasStreamedLists = true;
  /** Where a watch can go on; undefined: all has to be listed first. */
  #from: string | undefined;
  /** No answer may be older than this. */
  #seen: string | undefined;
  #isListed = false;
  #isListing = false;
  readonly #silence: Silence;
  /** Why the watch that is on was given up. */
  #lost: ApiError | undefined;
  /** Watches that ended too soon, one after the other. */
  #shortEnds = 0;
  #trouble: ApiError | undefined;
  #toldTrouble: string | undefined;

  constructor(kind: WatchedKind, sink: WatchSink<T>, parts: WatchParts) {
    this.kind = kind;
    this.#sink = sink;
    this.#parts = parts;
    this.#backoff = parts.backoff ?? new Backoff();
    this.#refusals = parts.backoff ?? new Backoff({ mostMs: MOST_REFUSED_MS });
    const { client, clock, renewalMs = RENEWAL_MS, quietMs = QUIET_MS, onFollowing = () => {} } = parts;
    const { silentMs = SILENT_MS } = parts;
    const onLost = (error: ApiError) => this.#giveUp(error);
    this.#silence = new Silence({ client, kind, silentMs, seen: () => this.#seen, onLost });
    const onLive = () => this.#onLive();
    this.#following = new Following({ clock, renewalMs, quietMs, onLive, onChange: onFollowing });
  }

  /** Once, whatever became of it later, all objects were known. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** All that there is is known, and changes arrive. False from the moment at which the connection breaks. */
  get isFollowing(): boolean {
    return this.#following.isLive;
  }

  /** Why it does not follow now; undefined where it does, or has only begun. */
  get trouble(): ApiError | undefined {
    return this.#trouble;
  }

  /** How long what is known may have been out of date; 0 while it is followed; undefined where nothing was ever known. */
  get staleMs(): number | undefined {
    return this.#following.staleMs;
  }

  start(): void {
    void this.#run();
  }

  close(): void {
    this.#isClosed = true;
    this.#abort.abort();
    this.#following.clearTimers();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const beganMs = this.#parts.clock.nowMs();
      try {
        await this.#follow();
        if (this.#parts.clock.nowMs() - beganMs < SHORT_MS) {
          this.#notLive();
          await this.#afterShort();
        } else {
          this.#shortEnds = 0;
          this.#backoff.reset();
          this.#following.renew();
        }
      } catch (error) {
        this.#notLive();
        if (this.#isClosed) return;
        const lost = this.#lost;
        this.#lost = undefined;
        // Ended by ourselves: nothing is wrong with the server.
        if (this.#abort.signal.aborted && lost === undefined) continue;
        await this.#recover(lost ?? (error instanceof ApiError ? error : unexpected(error)));
      }
    }
  }

  /** One list where it is needed, and one watch to its end. */
  async #follow(): Promise<void> {
    this.#abort = new AbortController();
    this.#lost = undefined;
    const isStreamed = this.#from === undefined && this.#hasStreamedLists;
    const isListed = this.#from === undefined && !isStreamed;
    if (isListed) await this.#list();
    await this.#watch(isStreamed, isListed);
  }

  #afterShort(): Promise<void> {
    this.#shortEnds++;
    if (this.#shortEnds < SHORT_ENDS) return this.#sleep(this.#backoff.next());
    return this.#recover(
      new ApiError('busy', `Cannot watch ${this.kind.resource}: the server ends each watch at once`),
    );
  }

  async #recover(error: ApiError): Promise<void> {
    this.errors.set(error.trouble, (this.errors.get(error.trouble) ?? 0) + 1);
    if (error.trouble === 'expired' && this.#from !== undefined) {
      this.#from = undefined;
      return this.#sleep(this.#backoff.next());
    }
    // A list that is refused for its version is asked for without one: any is better than none.
    if (error.trouble === 'expired') this.#seen = undefined;
    if (error.trouble === 'unsupported' && this.#hasStreamedLists && this.#from === undefined) {
      this.#hasStreamedLists = false;
      return;
    }
    this.#trouble = error;
    this.#tell(error);
    const isLasting = error.trouble === 'forbidden' || error.trouble === 'malformed';
    const backoff = isLasting ? this.#refusals : this.#backoff;
    await this.#sleep(backoff.next(error.retryAfterMs));
  }

  async #list(): Promise<void> {
    this.lists++;
    const what = `list ${this.kind.resource}`;
    const path = pathOf(this.kind, { resourceVersion: this.#seen ?? '0', resourceVersionMatch: 'NotOlderThan' });
    const body = await this.#open(what, path, 'list', this.#parts.silentMs ?? SILENT_MS);
    let version: string | undefined;
    const cutter = new JsonCutter(1, (value, depth) => {
      if (depth === 1) version ??= (value as { resourceVersion?: string }).resourceVersion;
      else this.#onListed(value);
    });
    this.#beginListing();
    await cutAll(body, cutter);
    if (!cutter.isWhole || version === undefined) {
      throw new ApiError('malformed', `Cannot ${what}: the list is not whole`);
    }
    this.#abort.signal.throwIfAborted();
    this.#endListing(version);
  }

  #onListed(value: unknown): void {
    this.#abort.signal.throwIfAborted();
    const object = this.#read(value);
    if (object !== undefined) this.#sink.onObject(object);
  }

  #read(value: unknown): T | undefined {
    const { readTable } = this.kind;
    return (readTable === undefined || value === undefined ? value : readTable(value)) as T | undefined;
  }

  /** `isListed`: all was listed just now. */
  async #watch(isStreamed: boolean, isListed: boolean): Promise<void> {
    this.watches++;
    if (isStreamed) this.lists++;
    const what = `watch ${this.kind.resource}`;
    const seconds = WATCH_SECONDS + Math.floor(Math.random() * WATCH_SECONDS);
    const path = pathOf(this.kind, {
      watch: '1',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
      ...(isStreamed
        ? { sendInitialEvents: 'true', resourceVersion: this.#seen ?? '0', resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion: this.#from }),
    });
    const body = await this.#open(what, path, 'watch', seconds * 1000 + SILENT_MS);
    this.#silence.begin();
    if (isStreamed) this.#beginListing();
    // Nothing was missed since the version from which it goes on.
    else if (isListed || this.isFollowing) this.#following.begin();
    else this.#following.catchUp();
    const { streamedListMs = STREAMED_LIST_MS } = this.#parts;
    const limit = isStreamed ? setTimeout(() => this.#giveUpStreaming(), streamedListMs).unref() : undefined;
    const cutter = new JsonCutter(0, (value) => this.#take(what, value as WatchEvent<T>));
    try {
      await cutAll(body, cutter);
    } finally {
      clearTimeout(limit);
      this.#silence.end();
    }
    if (this.#isListing) throw new ApiError('busy', `Cannot ${what}: the server ended it before all was listed`);
  }

  #open(what: string, path: string, as: 'list' | 'watch', silentMs: number): Promise<AsyncIterable<Uint8Array>> {
    const accept = acceptOf(this.kind, as);
    const { signal } = this.#abort;
    // A list is wanted soon, and silence after what was missed says that all has come.
    const mayRest = () => this.isFollowing;
    return this.#parts.client.stream(what, path, { accept, silentMs, signal, ...(as === 'watch' && { mayRest }) });
  }

  #take(what: string, { type, object: sent }: Partial<WatchEvent<T>>): void {
    // What came with the word that ended it may be another's matter by now.
    this.#abort.signal.throwIfAborted();
    if (type === 'ERROR') {
      const status = sent as Status | undefined;
      throw statusError(what, status?.code ?? 500, status);
    }
    const object = this.#read(sent);
    const { metadata } = (object ?? {}) as Partial<T>;
    if (type === undefined || !metadata?.resourceVersion) {
      throw new ApiError('malformed', `Cannot ${what}: the server sends something that is no event`);
    }
    this.#silence.came();
    if (type === 'BOOKMARK') {
      if (metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
        this.#endListing(metadata.resourceVersion);
        this.#following.begin();
      }
    } else {
      this.events++;
      if (type === 'DELETED') this.#sink.onDeleted(object as T);
      else this.#sink.onObject(object as T);
    }
    this.#following.came(type === 'BOOKMARK');
    // Versions of the initial events are of no order.
    if (this.#isListing) return;
    this.#seen = metadata.resourceVersion;
    this.#from = metadata.resourceVersion;
  }

  #beginListing(): void {
    this.#isListing = true;
    this.#sink.onListing();
  }

  #endListing(version: string): void {
    this.#isListing = false;
    this.#isListed = true;
    this.#seen = version;
    this.#from = version;
    this.#following.listed();
    this.#sink.onListed();
  }

  #giveUp(error: ApiError): void {
    this.#lost = error;
    this.#abort.abort();
  }

  #giveUpStreaming(): void {
    if (!this.#isListing) return;
    this.#hasStreamedLists = false;
    this.#abort.abort();
  }

  #onLive(): void {
    this.#isListing = false;
    this.#trouble = undefined;
    this.#refusals.reset();
    this.#tell(undefined);
  }

  #notLive(): void {
    this.#isListing = false;
    // Only what has served for a while makes the next wait short.
    if (this.#following.end() >= SHORT_MS) this.#backoff.reset();
  }

  /** Each trouble once, and its end. */
  #tell(error: ApiError | undefined): void {
    if (error?.trouble === this.#toldTrouble) return;
    const { log, purpose } = this.#parts;
    const { resource } = this.kind;
    if (error === undefined) log.info({ resource }, `the Kubernetes API is followed again: ${purpose}`);
    else log.warn({ resource, error: error.message }, `the Kubernetes API is not followed; it is for ${purpose}`);
    this.#toldTrouble = error?.trouble;
  }

  #sleep(waitMs: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function unexpected(error: unknown): ApiError {
  return new ApiError('failed', `Cannot follow the API server: ${(error as Error).message}`, { cause: error });
}
