import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a test judges it. */
export interface ApiRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** `list`, `first watch` (one that lists as well) or `watch`. */
  readonly kind: 'list' | 'first watch' | 'watch' | 'get';
}

/** Answers one request. */
export type Script = (request: ApiRequest, answer: ScriptedAnswer) => void;

/**
 * An API server that does what a test says, for the faults that a real one cannot be brought to. Plain HTTP on loopback. Requests are kept in `requests`; those that the
 * script has no answer for are left waiting.
 */
export class ScriptedApi {
  readonly requests: ApiRequest[] = [];
  readonly #server = createServer((request, response) => this.#on(request, response));
  #script: Script;

  static async open(script: Script): Promise<ScriptedApi> {
    const api = new ScriptedApi(script);
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  private constructor(script: Script) {
    this.#script = script;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  set script(script: Script) {
    this.#script = script;
  }

  /** Connections that are open now break off. */
  breakConnections(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #on(request: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams: query } = new URL(request.url!, 'http://api');
    const isWatch = query.has('watch');
    const isObject = !isWatch && !query.has('resourceVersion');
    const kind = isObject ? 'get' : !isWatch ? 'list' : query.has('sendInitialEvents') ? 'first watch' : 'watch';
    const known: ApiRequest = { path, query, headers: request.headers, kind };
    this.requests.push(known);
    this.#script(known, new ScriptedAnswer(response));
  }
}

/** An object of the kind that is watched, with a version. */
export interface ScriptedObject {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion: string };
  readonly value?: string;
}

export function scripted(name: string, resourceVersion: string, value = name): ScriptedObject {
  return { metadata: { name, namespace: 'tests', resourceVersion }, value };
}

export class ScriptedAnswer {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** A status other than 200, as the API server words it. */
  refuse(code: number, fields: object = {}, headers: Record<string, string> = {}): void {
    this.#response.writeHead(code, { 'content-type': 'application/json', ...headers });
    this.#response.end(JSON.stringify({ kind: 'Status', code, message: `refused with ${code}`, ...fields }));
  }

  object(object: object): void {
    this.#response.end(JSON.stringify(object));
  }

  list(resourceVersion: string, items: readonly ScriptedObject[]): void {
    this.object({ kind: 'ThingList', apiVersion: 'v1', metadata: { resourceVersion }, items });
  }

  /** Objects as a watch that lists sends them, up to the bookmark that ends them. */
  initial(resourceVersion: string, items: readonly ScriptedObject[]): this {
    for (const item of items) this.event('ADDED', item);
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    return this.event('BOOKMARK', { metadata: { resourceVersion, annotations } });
  }

  event(type: string, object: object): this {
    return this.text(`${JSON.stringify({ type, object })}\n`);
  }

  bookmark(resourceVersion: string): this {
    return this.event('BOOKMARK', { metadata: { resourceVersion } });
  }

  text(text: string): this {
    this.#response.write(text);
    return this;
  }

  /** The head of the answer, so that it counts as begun. */
  begin(): this {
    this.#response.flushHeaders();
    return this;
  }

  end(): void {
    this.#response.end();
  }
}
