import { isDeepStrictEqual } from 'node:util';
import type { Dispatcher, Pool as PoolType } from 'undici';
import request from 'undici/lib/api/api-request.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { API_CONNECTIONS, API_OBJECT_BYTES } from '../core/limits.ts';
import { packageVersion } from '../core/version.ts';
import type { ApiAccess, Credentials } from './api-access.ts';
import { ApiError, statusError } from './api-error.ts';
import type { Status } from './api-objects.ts';
import { PacedResponse } from './paced-response.ts';

/** A server that says nothing for so long is taken for gone. */
const CONNECT_MS = 5000;
const HEADERS_MS = 15_000;
const BODY_MS = 30_000;
/** After so long without traffic the other end is asked whether it is there, and given up 10 s later: a path that is lost without a sign. */
const KEEP_ALIVE_MS = 10_000;
/** An option of `tls.connect` and `net.connect` that undici's types lack. What is not read yet stays with the kernel, and wakes nobody. */
const UNREAD_STAYS = { highWaterMark: 1 };
/** What is read of an error's body. */
const STATUS_BYTES = 65_536;

export interface StreamOptions {
  /** What the server is to send. */
  readonly accept: string;
  /** For so long it may send nothing. */
  readonly silentMs: number;
  /** Ends the request. */
  readonly signal: AbortSignal;
  /** Whether what follows closely may come together, a tenth of a second late; see `PacedResponse`. Without it nothing may. */
  readonly mayRest?: () => boolean;
}

/**
 * Asks the API server, over HTTP/1.1. Credentials are read for each request, which come minutes apart: whatever rotates is in force with the next one. All calls reject
 * with `ApiError`.
 */
export class ApiClient {
  readonly #access: ApiAccess;
  #pool: PoolType | undefined;
  /** What the pool's connections were made with. */
  #identity: Omit<Credentials, 'token'> = {};
  #isClosed = false;

  constructor(access: ApiAccess) {
    this.#access = access;
  }

  /** `https://10.96.0.1` */
  get server(): string {
    return this.#access.server.origin;
  }

  /** One object. `what`: for the message where it fails, such as `get the Service kube-system/kube-dns`. */
  async get<T>(what: string, path: string): Promise<T> {
    const { body } = await this.#request(what, path, { accept: 'application/json', silentMs: BODY_MS });
    const text = await textOf(what, body, API_OBJECT_BYTES.value);
    if (text === undefined) {
      API_OBJECT_BYTES.hits++;
      throw new ApiError('malformed', `Cannot ${what}: the answer is longer than ${API_OBJECT_BYTES.value} B`);
    }
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new ApiError('malformed', `Cannot ${what}: the answer is no JSON: ${(error as Error).message}`);
    }
  }

  /** A list or a watch, in the pieces in which it comes. It is read on only as fast as it is taken. */
  async stream(what: string, path: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>> {
    const { body } = await this.#request(what, path, options);
    return pieces(what, body);
  }

  /** Ends all requests. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool?.destroy();
  }

  async #request(
    what: string,
    path: string,
    { accept, silentMs, signal, mayRest }: Omit<StreamOptions, 'signal'> & { signal?: AbortSignal },
  ): Promise<Dispatcher.ResponseData> {
    const { token, ...identity } = await this.#access.credentials().catch((error: Error) => {
      throw new ApiError('unauthorized', `Cannot ${what}: ${error.message} (${this.#access.origin})`, { cause: error });
    });
    const pool = this.#poolFor(identity);
    const answer = await request
      .call(mayRest === undefined ? pool : paced(pool, mayRest), {
        path: `${this.#access.server.pathname.replace(/\/$/, '')}${path}`,
        method: 'GET',
        headers: {
          accept,
          'user-agent': `signpost/${packageVersion()}`,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        headersTimeout: HEADERS_MS,
        bodyTimeout: silentMs,
        ...(signal && { signal }),
      })
      .catch((error: Error) => {
        throw new ApiError('unreachable', `Cannot ${what}: ${this.server} gives no answer: ${said(error)}`, {
          cause: error,
        });
      });
    if (answer.statusCode === 200) return answer;
    const text = await textOf(what, answer.body, STATUS_BYTES).catch(() => undefined);
    const retryAfter = answer.headers['retry-after'];
    throw statusError(
      what,
      answer.statusCode,
      statusFrom(text),
      typeof retryAfter === 'string' ? retryAfter : undefined,
    );
  }

  #poolFor(identity: Omit<Credentials, 'token'>): PoolType {
    if (this.#isClosed) throw new ApiError('unreachable', 'Cannot ask the API server: stopping');
    if (this.#pool !== undefined && isDeepStrictEqual(identity, this.#identity)) return this.#pool;
    // Requests that are on keep their connections until they end.
    this.#pool?.close().catch(() => {});
    this.#identity = identity;
    const { serverName, isInsecure, server } = this.#access;
    this.#pool = new Pool(server.origin, {
      connections: API_CONNECTIONS.value,
      allowH2: false,
      connect: {
        ...(identity.ca !== undefined && { ca: identity.ca }),
        ...(identity.certificate !== undefined && { cert: identity.certificate }),
        ...(identity.key !== undefined && { key: identity.key }),
        ...(serverName !== undefined && { servername: serverName }),
        rejectUnauthorized: !isInsecure,
        ...UNREAD_STAYS,
        timeout: CONNECT_MS,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_MS,
      },
    });
    return this.#pool;
  }
}

function paced(pool: PoolType, mayRest: () => boolean): Dispatcher {
  return pool.compose((dispatch) => (options, handler) => dispatch(options, new PacedResponse(handler, mayRest)));
}

async function* pieces(what: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError('unreachable', `Cannot ${what}: the answer breaks off: ${said(error as Error)}`, {
      cause: error,
    });
  }
}

/** The whole body; undefined where it is longer than `most`. */
async function textOf(what: string, body: AsyncIterable<Uint8Array>, most: number): Promise<string | undefined> {
  const held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces(what, body)) {
    held.push(piece);
    length += piece.length;
    if (length > most) return undefined;
  }
  return Buffer.concat(held, length).toString('utf8');
}

function statusFrom(text: string | undefined): Status | undefined {
  try {
    const value = JSON.parse(text ?? '') as Partial<Status> | null;
    return value?.kind === 'Status' ? (value as Status) : undefined;
  } catch {
    return undefined;
  }
}

/** An error of several addresses has no message of its own. */
function said(error: Error & { code?: string }): string {
  if (error instanceof AggregateError && error.errors.length > 0) return said(error.errors[0] as Error);
  return error.message || error.code || error.name;
}
