import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { ADMIN_CONNECTIONS } from '../core/limits.ts';
import type { TroubleLog } from '../core/trouble-log.ts';
import { isForeignOrigin, isLocalHost } from './host-header.ts';
import { listenError } from './listen-error.ts';
import { type Answer, errorAnswer, type Page } from './page.ts';

export interface AdminServerOptions {
  readonly address: SocketAddress;
  /** The flag that named the address: errors tell it. */
  readonly option: '--admin' | '--metrics' | '--probes';
  readonly pages: readonly Page[];
  readonly troubles: TroubleLog;
}

/** Nothing that is asked here has a body, and nobody needs long for a request line. */
const REQUEST_MS = 5000;
/** Scrapes come every 15 s or so: a connection is kept from one to the next. */
const IDLE_MS = 20_000;
/** A reader that takes nothing for so long is gone. */
const STALLED_MS = 30_000;

const HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** One HTTP server: for the node itself (`--admin`), for the network that reads metrics (`--metrics`), or for kubelet alone (`--probes`). */
export class AdminServer {
  readonly #server: Server;
  readonly #pages: readonly Page[];
  readonly #isLocal: boolean;
  readonly #troubles: TroubleLog;

  /** Rejects with a `StartError` that names address, cause and remedy. DNS does not depend on it: the caller may go on without. */
  static async open(options: AdminServerOptions): Promise<AdminServer> {
    // Not by `import`, which reads every name that the module exports and so loads an HTTP client of 60 ms and 3 MB with it.
    const { createServer } = process.getBuiltinModule('node:http');
    const server = createServer({
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
      maxHeaderSize: 8192,
    });
    server.timeout = STALLED_MS;
    server.maxConnections = ADMIN_CONNECTIONS.value;
    await listening(server, options.address).catch((error: NodeJS.ErrnoException) => {
      throw listenError(error, options.address, options.option);
    });
    return new AdminServer(server, options);
  }

  private constructor(server: Server, { option, pages, troubles }: AdminServerOptions) {
    this.#server = server;
    this.#pages = pages;
    this.#isLocal = option === '--admin';
    this.#troubles = troubles;
    server.on('request', (request, response) => void this.#respond(request, response));
    server.on('drop', () => ADMIN_CONNECTIONS.hits++);
    server.on('error', (err) => troubles.report(`admin ${option}`, 'The HTTP server failed', { option, err }));
  }

  /** Where it listens, with the port that the system chose where 0 was asked for. */
  get address(): SocketAddress {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Stops listening and closes all connections. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, contentType, body, headers } = await this.#answer(request);
    const content = Buffer.from(body);
    response.writeHead(status, {
      ...HEADERS,
      ...headers,
      'Content-Type': contentType,
      'Content-Length': content.length,
    });
    response.end(content);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (this.#isLocal && !isLocalHost(request.headers.host)) {
      return errorAnswer(403, 'ERR_HOST', 'Cannot answer this Host: expected an IP address or localhost');
    }
    const [path, query] = split(request.url ?? '/');
    const pages = this.#pages.filter((page) => page.path === path);
    if (pages.length === 0) return errorAnswer(404, 'ERR_NOT_FOUND', `Cannot find ${path}`);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const page = pages.find((each) => each.method === method);
    if (page === undefined) {
      const allowed = pages.map((each) => (each.method === 'GET' ? 'GET, HEAD' : each.method)).join(', ');
      return errorAnswer(405, 'ERR_METHOD', `Cannot ${method} ${path}: expected ${allowed}`, { Allow: allowed });
    }
    if (page.method === 'POST' && isForeignOrigin(request.headers.origin, request.headers.host)) {
      return errorAnswer(403, 'ERR_ORIGIN', 'Cannot do this for a page of another site');
    }
    try {
      return await page.answer(new URLSearchParams(query));
    } catch (err) {
      this.#troubles.report(`admin ${path}`, 'A page could not be made', { path, err }, 'error');
      const { code = 'ERR_INTERNAL', message } = err as { code?: string; message: string };
      return errorAnswer(500, code, message);
    }
  }
}

function split(target: string): [path: string, query: string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

function listening(server: Server, { host, port }: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
