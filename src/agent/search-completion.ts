import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { FileWatch, type FileWatchOptions } from '../config/file-watch.ts';
import { fingerprint, NO_FILE } from '../config/fingerprint.ts';
import { parseResolvSearch } from '../config/resolv-search.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { TimerWheel } from '../core/timer-wheel.ts';
import type { CacheResponder } from '../resolve/cache-responder.ts';
import { CompletionCounts } from '../resolve/completion/completion-counts.ts';
import type { KnownServices } from '../search/known-services.ts';
import { PodClients } from '../search/pod-clients.ts';
import { ServiceEvents } from '../search/service-events.ts';
import { nameFromText } from '../wire/name.ts';

export interface SearchCompletionParts {
  clock: Clock;
  log: Logger;
  /** Whose queries are completed. */
  responder: CacheResponder;
  services: KnownServices;
  watch?: FileWatchOptions;
  wheel: TimerWheel;
}

/** `--search complete`: what is known of the node's pods, and of the search suffixes that kubelet gives them. */
export class SearchCompletion {
  readonly pods: PodClients;
  readonly events = new ServiceEvents();
  readonly counts = new CompletionCounts();
  readonly #parts: SearchCompletionParts;
  #clusterDomain = '';
  #path = '';
  #watch: FileWatch | undefined;
  #searches: readonly string[] | undefined;

  constructor(parts: SearchCompletionParts) {
    this.#parts = parts;
    this.pods = new PodClients(parts.clock, { clusterDomain: '', searches: undefined });
  }

  /** This configuration is in force. */
  apply({ clusterDomain, searchConf }: Config): void {
    this.#follow(searchConf);
    if (clusterDomain === this.#clusterDomain) return;
    this.#clusterDomain = clusterDomain;
    const { clock, responder, services, wheel } = this.#parts;
    const zone = nameFromText(clusterDomain)!;
    const cluster = { zone, zoneLabels: clusterDomain.split('.').length };
    const { counts, events, pods } = this;
    responder.completeSearches({ clock, cluster, counts, events, pods, services, wheel });
    this.#tellNode();
  }

  /** Something has changed about a Service. */
  serviceChanged(namespace: string, service: string): void {
    this.events.note(namespace, service, this.#parts.clock.nowMs());
  }

  /** The file is watched no more. */
  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** Reads the search suffixes in the file, now and whenever it is another one. */
  #follow(path: string): void {
    if (path === this.#path) return;
    this.close();
    this.#path = path;
    const watch = new FileWatch(() => void this.#read(path, watch), this.#parts.watch);
    this.#watch = watch;
    void this.#read(path, watch);
  }

  async #read(path: string, watch: FileWatch): Promise<void> {
    const text = await readFile(path, 'utf8').catch((error: Error) => error);
    if (this.#watch !== watch) return;
    const isRead = typeof text === 'string';
    watch.follow(new Map([[path, isRead ? fingerprint(text) : NO_FILE]]));
    if (!isRead)
      this.#parts.log.warn(
        { error: text.message },
        "the node's search suffixes are not known: searches are not completed",
      );
    this.#searches = isRead ? parseResolvSearch(text) : undefined;
    this.#tellNode();
  }

  #tellNode(): void {
    this.pods.setNode({ clusterDomain: this.#clusterDomain, searches: this.#searches });
  }
}
