import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { ADMIN_CONNECTIONS } from '../core/limits.ts';
import type { TroubleLog } from '../core/trouble-log.ts';
import type { Libc } from '../native/libc.ts';
import { ServerSocket } from '../native/server-socket.ts';
import { isForeignOrigin, isLocalHost } from './host-header.ts';
import { listenError } from './listen-error.ts';
import { type Answer, errorAnswer, type Page } from './page.ts';

export interface AdminServerOptions {
  readonly address: SocketAddress;
  /** The flag that named the address: errors tell it. */
  readonly option: '--admin' | '--metrics' | '--probes';
  readonly pages: readonly Page[];
  readonly troubles: TroubleLog;
  /** Without it the socket cannot be passed to a successor. */
  readonly libc?: Libc | undefined;
  /** A socket that listens on the address already, the server's from now on. */
  readonly adopted?: number | undefined;
}

/** Nothing that is asked here has a body, and nobody needs long for a request line. */
const REQUEST_MS = 5000;
/** Scrapes come every 15 s or so: a connection is kept from one to the next. */
const IDLE_MS = 20_000;
/** Connections that wait to be taken. */
const ACCEPT_BACKLOG = 64;
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
  readonly #socket: ServerSocket;
  readonly #pages: readonly Page[];
  readonly #isLocal: boolean;
  /** Where it listens, with the port that the system chose where 0 was asked for. */
  readonly address: SocketAddress;
  #isPaused = false;
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
    const socket = new ServerSocket(server, ACCEPT_BACKLOG, options.libc);
    await socket.open({ ...options.address, ipv6Only: false }, options.adopted).catch((error) => {
      throw listenError(error, options.address, options.option);
    });
    return new AdminServer(server, socket, options);
  }

  private constructor(server: Server, socket: ServerSocket, options: AdminServerOptions) {
    const { option, pages, troubles } = options;
    this.address = addressOf(server);
    this.#server = server;
    this.#socket = socket;
    this.#pages = pages;
    this.#isLocal = option === '--admin';
    this.#troubles = troubles;
    server.on('request', (request, response) => void this.#respond(request, response));
    server.on('drop', () => ADMIN_CONNECTIONS.hits++);
    server.on('error', (err) => troubles.report(`admin ${option}`, 'The HTTP server failed', { option, err }));
  }

  /** What a successor is given; -1 where it cannot be passed. */
  get descriptor(): number {
    return this.#socket.descriptor;
  }

  /** Accepts no more and keeps the socket: a successor accepts. Connections close as soon as nothing is asked on them. */
  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** Accepts again after `pause`. */
  async resume(): Promise<void> {
    this.#isPaused = false;
    await this.#socket.resume();
  }

  /** Stops listening and closes all connections. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.once('close', () => resolve());
      this.#socket.close();
      this.#server.closeAllConnections();
    });
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, contentType, body, headers } = await this.#answer(request);
    const content = Buffer.from(body);
    response.writeHead(status, {
      ...HEADERS,
      ...headers,
      ...(this.#isPaused && { Connection: 'close' }),
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

function addressOf(server: Server): SocketAddress {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}
