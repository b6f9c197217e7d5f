import { readdirSync, readFileSync } from 'node:fs';
import { type MessagePort, workerData } from 'node:worker_threads';
import { ConfigError } from '../core/errors.ts';
import { ConfigErrors } from './config-errors.ts';
import type { LoadedConfig } from './from-flags.ts';
import { type Reading, readConfig } from './reading.ts';
import type { ReadingMessage, ReadingTask } from './reading-elsewhere.ts';
import { loadSettingsReaders } from './settings-readers.ts';

/** Zones that are handed over together: taking them apart is a step of the other thread's, of a tenth of a millisecond. */
const ZONES_A_MESSAGE = 16;

// The whole life of a thread of its own, see reading-elsewhere.ts.
const { flags, env, isTerminal, teller } = workerData as ReadingTask & { teller: MessagePort };
const surroundings = {
  env,
  isTerminal,
  readFile: (path: string) => readFileSync(path, 'utf8'),
  listFolder: (path: string) => readdirSync(path),
};
tell(readConfig(flags, surroundings, await loadSettingsReaders(flags)));

function tell({ outcome, contents, length }: Reading): void {
  let loaded: LoadedConfig;
  try {
    loaded = outcome();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const errors = error instanceof ConfigErrors ? error.errors : [error];
    post({ errors: errors.map(({ code, message }) => ({ code, message })), contents, length });
    return;
  }
  const { zones, ...config } = loaded.config;
  for (let at = 0; at < zones.length; at += ZONES_A_MESSAGE) post({ zones: zones.slice(at, at + ZONES_A_MESSAGE) });
  post({ config, notes: loaded.notes, contents, length });
}

function post(message: ReadingMessage): void {
  teller.postMessage(message);
}
