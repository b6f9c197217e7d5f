import type { AdminParts } from '../admin/pages.ts';
import { adminPages, metricsPages, probePages } from '../admin/pages.ts';
import { AdminServer, type AdminServerOptions } from '../admin/server.ts';
import type { Config, SocketAddress } from '../config/config.ts';
import type { Logger } from '../core/logger.ts';
import type { TroubleLog } from '../core/trouble-log.ts';

/** A port that another process holds is tried again so often: the other is often our predecessor, on its way out. */
const AGAIN_MS = 5000;

export interface HttpServersParts extends AdminParts {
  log: Logger;
  troubles: TroubleLog;
}

/**
 * The HTTP servers: `--admin`, `--metrics`, and one for each of `--probes`. DNS does not depend on them: where one cannot listen, that is said once and tried again,
 * and the agent serves on.
 */
export class HttpServers {
  readonly #log: Logger;
  readonly #open: AdminServer[] = [];
  readonly #retries = new Set<NodeJS.Timeout>();
  admin: SocketAddress | undefined;
  metrics: SocketAddress | undefined;

  static async open({ admin, metrics, probes }: Config, parts: HttpServersParts): Promise<HttpServers> {
    const servers = new HttpServers(parts.log);
    const { troubles } = parts;
    await Promise.all([
      admin && servers.#start({ address: admin, option: '--admin', pages: adminPages(parts), troubles }),
      metrics &&
        servers.#start({ address: metrics, option: '--metrics', pages: metricsPages(parts.register), troubles }),
      ...probes.map((address) => servers.#start({ address, option: '--probes', pages: probePages(parts), troubles })),
    ]);
    return servers;
  }

  private constructor(log: Logger) {
    this.#log = log;
  }

  async close(): Promise<void> {
    for (const retry of this.#retries) clearTimeout(retry);
    await Promise.all(this.#open.map((server) => server.close()));
  }

  async #start(options: AdminServerOptions, isRetry = false): Promise<void> {
    try {
      const server = await AdminServer.open(options);
      this.#open.push(server);
      if (options.option === '--admin') this.admin = server.address;
      else if (options.option === '--metrics') this.metrics = server.address;
      if (isRetry) this.#log.info({ option: options.option }, 'the port is free now, and listened on');
    } catch (error) {
      if (!isRetry) this.#log.error({ error: (error as Error).message }, 'serving DNS without it, trying again');
      const retry = setTimeout(() => {
        this.#retries.delete(retry);
        void this.#start(options, true);
      }, AGAIN_MS);
      retry.unref();
      this.#retries.add(retry);
    }
  }
}
