import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { UpstreamAddress } from '../../../../src/config/config.ts';
import type { ReplyStream, StreamSource } from '../../../../src/resolve/client.ts';
import { type Labels, type WrittenRecord, writeMessage } from '../../../wire/message-writer.ts';
import { type Script, ScriptedServer } from '../../upstream/scripted-server.ts';
import { House, PlayedClient } from '../house.ts';

export const ZONE: Labels = ['corp', 'example'];
export const AXFR = 252;
export const IXFR = 251;
export const UPDATE = 5 << 11;
export const NOTIFY = 4 << 11;

/** A server of the test's script that ends with the test. */
export async function serve(t: TestContext, script: Script): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(script);
  t.after(() => server.close());
  return server;
}

/** The resolve room, whose outside zone is relayed to these servers in their order. */
export function houseOf(...servers: readonly { host: string; port: number }[]): House {
  const house = new House();
  house.outside.targets = servers.map(({ host, port }) => ({
    address: { host, port, transport: 'udp+tcp' } satisfies UpstreamAddress,
    label: `${host}:${port}`,
  }));
  return house;
}

export interface RequestOptions {
  readonly flags?: number;
  readonly name?: Labels;
  readonly type?: number;
  readonly id?: number;
  readonly authorities?: readonly WrittenRecord[];
  readonly additionals?: readonly WrittenRecord[];
}

/** Of an update of `corp.example` that adds a record, where nothing else is said. */
export function request({ flags = UPDATE, name = ZONE, type = 6, id = 0x4711, ...rest }: RequestOptions = {}): Buffer {
  const questions = [{ name, type, class: 1 }];
  const added = { owner: ['new', ...name], type: 1, class: 1, ttl: 60, data: [Buffer.from([192, 0, 2, 7])] };
  const authorities = flags === UPDATE ? [added] : [];
  return Buffer.from(writeMessage({ id, flags, questions, answers: [], authorities, additionals: [], ...rest }));
}

/** A reply to `query` without records. */
export function replyTo(query: Buffer, rcode = 0): Buffer {
  const reply = Buffer.from(query.subarray(0, query.indexOf(0, 12) + 5));
  reply[2]! |= 0x80;
  reply[3] = rcode;
  reply.fill(0, 6, 12);
  return reply;
}

/** A client that takes answers of many messages. */
export class StreamClient extends PlayedClient implements ReplyStream {
  source: StreamSource | undefined;
  /** Whether it takes them as fast as they come. */
  isFast = true;
  hasEnded = false;

  override holdStream(source: StreamSource): ReplyStream {
    this.source = source;
    return this;
  }

  write(bytes: Uint8Array, start: number, end: number): boolean {
    this.replies.push(Buffer.from(bytes.subarray(start, end)));
    return this.isFast;
  }

  end(): void {
    this.hasEnded = true;
  }
}

/** Waits for what happens on sockets. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`Never seen: ${what}`);
    await turn();
  }
}
