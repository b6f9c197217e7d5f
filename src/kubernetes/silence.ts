import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { WatchedKind } from './watched-kind.ts';

export interface SilenceParts {
  readonly client: ApiClient;
  readonly kind: WatchedKind;
  /** After so long without a word the server is asked. */
  readonly silentMs: number;
  /** The version that was seen last. */
  readonly seen: () => string | undefined;
  /** The watch is not to be waited for any longer. */
  readonly onLost: (error: ApiError) => void;
}

/**
 * Whether a watch by which nothing comes is only quiet. The server sends a bookmark a minute, but only of versions newer than the watch: where etcd does not tell it of its progress (a setting
 * that kubeadm makes, and not everyone), nothing comes while nothing of that kind changes. A server that hangs, or was set back to an older version and will send nothing until it has come to ours
 * again, looks the same. So it is asked for one object: the answer has the version that it is at.
 */
export class Silence {
  readonly #parts: SilenceParts;
  #timer: NodeJS.Timeout | undefined;
  /** Counts watches: what was asked for one says nothing of the next. */
  #watch = 0;
  #isAsking = false;

  constructor(parts: SilenceParts) {
    this.#parts = parts;
  }

  /** A watch has begun. */
  begin(): void {
    this.end();
    const watch = this.#watch;
    this.#timer = setTimeout(() => void this.#ask(watch), this.#parts.silentMs).unref();
  }

  /** Something came. */
  came(): void {
    // What is asked now is answered by that.
    if (this.#isAsking) this.begin();
    else this.#timer?.refresh();
  }

  /** The watch is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isAsking = false;
    this.#watch++;
  }

  async #ask(watch: number): Promise<void> {
    this.#isAsking = true;
    const { client, kind, seen, onLost } = this.#parts;
    const lost = await this.#judge(client, kind, seen).catch((error: unknown) =>
      error instanceof ApiError ? error : new ApiError('failed', `Cannot look after the watch: ${String(error)}`),
    );
    if (watch !== this.#watch) return;
    if (lost === undefined) this.begin();
    else onLost(lost);
  }

  /** Undefined where the watch may be waited for. */
  async #judge(client: ApiClient, kind: WatchedKind, seen: () => string | undefined): Promise<ApiError | undefined> {
    // Without selectors: a server that has to look for the one object that fits may have to look through all.
    const what = `look whether ${kind.resource} are quiet`;
    const { metadata } = await client.get<{ metadata?: { resourceVersion?: string } }>(what, `${kind.path}?limit=1`);
    const version = metadata?.resourceVersion;
    if (version === undefined || !isBefore(version, seen())) return undefined;
    return new ApiError('expired', `Cannot ${what}: the API server is at version ${version}, before ${seen()}`);
  }
}

/** Versions are numbers that grow, though only their equality was promised for long. */
function isBefore(version: string, seen: string | undefined): boolean {
  const isNumber = /^\d+$/;
  return seen !== undefined && isNumber.test(version) && isNumber.test(seen) && BigInt(version) < BigInt(seen);
}
