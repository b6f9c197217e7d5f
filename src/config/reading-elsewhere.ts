import { once } from 'node:events';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { ConfigError, SignpostError } from '../core/errors.ts';
import { inSlices, type Steps } from '../core/slices.ts';
import type { Config, ZoneConfig } from './config.ts';
import { ConfigErrors } from './config-errors.ts';
import type { Flags, Surroundings } from './flags.ts';
import { freeze } from './from-flags.ts';
import type { Reading } from './reading.ts';

export interface ReadingTask {
  readonly flags: Flags;
  readonly env: Surroundings['env'];
  readonly isTerminal: boolean;
}

interface Read {
  readonly contents: ReadonlyMap<string, string>;
  readonly length: number;
}

/** What the thread says: zones, some at a time, and at last the rest, or what is wrong. */
export type ReadingMessage =
  | { readonly zones: readonly ZoneConfig[] }
  | ({ readonly config: Omit<Config, 'zones'>; readonly notes: readonly string[] } & Read)
  | ({ readonly errors: readonly { readonly code: string; readonly message: string }[] } & Read);

/** Beside this file in a checkout; beside the folder of what it was built into in a release. */
const ENTRY = new URL(`../config/reading-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/**
 * Reads flags and files in a thread of its own, which lives as long as that takes: 10,000 zones of YAML are half a second of work, and queries are
 * answered meanwhile. `same` gives the zone that is in force where it is equal to the one that was read. Rejects where the thread fails.
 */
export async function readElsewhere(task: ReadingTask, same: (zone: ZoneConfig) => ZoneConfig): Promise<Reading> {
  const env = { ...task.env };
  const { port1: told, port2: teller } = new MessageChannel();
  const workerData = { ...task, env, teller };
  const worker = new Worker(ENTRY, { workerData, transferList: [teller], env, execArgv: [] });
  try {
    await once(worker, 'exit');
    // All that was said waits in the port: to be called back for each message would be to be called back for all of them in one turn.
    return await inSlices(takeIn(told, same));
  } finally {
    told.close();
  }
}

function* takeIn(told: MessagePort, same: (zone: ZoneConfig) => ZoneConfig): Steps<Reading> {
  const zones: ZoneConfig[] = [];
  for (let next = receiveMessageOnPort(told); next !== undefined; next = receiveMessageOnPort(told)) {
    const message = next.message as ReadingMessage;
    if (!('zones' in message)) return readingFrom(message, zones);
    for (const zone of message.zones) zones.push(freeze(same(zone)));
    yield;
  }
  throw new SignpostError('ERR_CONFIG_THREAD', 'Cannot read the configuration: its thread said nothing');
}

function readingFrom(message: Exclude<ReadingMessage, { zones: unknown }>, zones: readonly ZoneConfig[]): Reading {
  const { contents, length } = message;
  if ('errors' in message) {
    const errors = new ConfigErrors(message.errors.map((error) => new ConfigError(error.code, error.message)));
    const outcome = () => {
      throw errors;
    };
    return { outcome, contents, length };
  }
  const loaded = { config: Object.freeze({ ...message.config, zones: Object.freeze(zones) }), notes: message.notes };
  return { outcome: () => loaded, contents, length };
}
