import type { AdminParts } from '../admin/pages.ts';
import { adminPages, metricsPages, probePages } from '../admin/pages.ts';
import { AdminServer, type AdminServerOptions } from '../admin/server.ts';
import type { Config, SocketAddress } from '../config/config.ts';
import type { Logger } from '../core/logger.ts';
import type { TroubleLog } from '../core/trouble-log.ts';
import type { Libc } from '../native/libc.ts';

/** A port that another process holds is tried again so often: the other is often our predecessor, on its way out. */
const AGAIN_MS = 5000;

export interface HttpServersParts extends AdminParts {
  log: Logger;
  troubles: TroubleLog;
  /** Without it the sockets cannot be passed to a successor. */
  libc?: Libc | undefined;
  /** Sockets of a predecessor; see `ListenersParts`. */
  adopt?: (address: SocketAddress) => number | undefined;
}

/**
 * The HTTP servers: `--admin`, `--metrics`, and one for each of `--probes`. DNS does not depend on them: where one cannot listen, that is said once and tried again,
 * and the agent serves on.
 */
export class HttpServers {
  readonly #log: Logger;
  readonly #parts: HttpServersParts;
  readonly #wanted: AdminServerOptions[] = [];
  readonly #open: AdminServer[] = [];
  readonly #retries = new Set<NodeJS.Timeout>();
  /** Those that are about to listen. */
  readonly #starts = new Set<Promise<void>>();
  /** No port is taken: it is a successor's, or all are to be closed. */
  #isPaused = false;
  admin: SocketAddress | undefined;
  metrics: SocketAddress | undefined;

  static async open({ admin, metrics, probes }: Config, parts: HttpServersParts): Promise<HttpServers> {
    const servers = new HttpServers(parts);
    const { troubles } = parts;
    if (admin) servers.#wanted.push({ address: admin, option: '--admin', pages: adminPages(parts), troubles });
    if (metrics) {
      servers.#wanted.push({ address: metrics, option: '--metrics', pages: metricsPages(parts.register), troubles });
    }
    for (const address of probes) {
      servers.#wanted.push({ address, option: '--probes', pages: probePages(parts), troubles });
    }
    await servers.#startAll();
    return servers;
  }

  private constructor(parts: HttpServersParts) {
    this.#log = parts.log;
    this.#parts = parts;
  }

  /** Every socket, for a successor; one that cannot be passed is left out. */
  get passedSockets(): { address: SocketAddress; descriptor: number }[] {
    return this.#open
      .map(({ address, descriptor }) => ({ address, descriptor }))
      .filter(({ descriptor }) => descriptor !== -1);
  }

  /** A successor accepts from now on. */
  pause(): void {
    this.#isPaused = true;
    for (const server of this.#open) server.pause();
  }

  /** The successor is gone. */
  async resume(): Promise<void> {
    this.#isPaused = false;
    await Promise.all(this.#open.map((server) => server.resume()));
  }

  /** Frees the addresses for another process. Returns what listens on them again, trying for as long as it takes. */
  async yield(): Promise<() => Promise<void>> {
    await this.close();
    return () => this.#startAll();
  }

  async close(): Promise<void> {
    this.#isPaused = true;
    await Promise.all(this.#starts);
    for (const retry of this.#retries) clearTimeout(retry);
    this.#retries.clear();
    await Promise.all(this.#open.splice(0).map((server) => server.close()));
  }

  async #startAll(): Promise<void> {
    this.#isPaused = false;
    await Promise.all(this.#wanted.map((options) => this.#start(options)));
  }

  #start(options: AdminServerOptions, isRetry = false): Promise<void> {
    const start = this.#listen(options, isRetry).finally(() => this.#starts.delete(start));
    this.#starts.add(start);
    return start;
  }

  async #listen(options: AdminServerOptions, isRetry: boolean): Promise<void> {
    try {
      const { adopt, libc } = this.#parts;
      const server = await AdminServer.open({ ...options, libc, adopted: adopt?.(options.address) });
      if (this.#isPaused) {
        await server.close();
        return this.#tryAgain(options);
      }
      this.#open.push(server);
      if (options.option === '--admin') this.admin = server.address;
      else if (options.option === '--metrics') this.metrics = server.address;
      if (isRetry) this.#log.info({ option: options.option }, 'the port is free now, and listened on');
    } catch (error) {
      if (!isRetry) this.#log.error({ error: (error as Error).message }, 'serving DNS without it, trying again');
      this.#tryAgain(options);
    }
  }

  #tryAgain(options: AdminServerOptions): void {
    const retry = setTimeout(() => {
      this.#retries.delete(retry);
      if (this.#isPaused) this.#tryAgain(options);
      else void this.#start(options, true);
    }, AGAIN_MS);
    retry.unref();
    this.#retries.add(retry);
  }
}
