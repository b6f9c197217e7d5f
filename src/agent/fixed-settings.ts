import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.ts';
import type { Logger } from '../core/logger.ts';

/** Settings that are in force as they were at start, under the names that users know them by. */
const FIXED = {
  listen: 'listen',
  metrics: 'metrics',
  admin: 'admin',
  probes: 'probes',
  cacheBytes: 'cacheSize',
  nodeNetwork: 'nodeNetwork',
  state: 'state',
  nodeName: 'nodeName',
  clusterDnsService: 'clusterDnsService',
  kubernetes: 'kubernetes',
  search: 'search',
  hasLease: 'lease',
  hasNodeNames: 'nodeNames',
  isClusterDnsDirect: 'clusterDns: endpoints',
  logFormat: 'logFormat',
} as const satisfies Partial<Record<keyof Config, string>>;

type FixedKey = keyof typeof FIXED;

/** What cannot change while a process lives: sockets are bound, and the cache is one block of memory. */
export class FixedSettings {
  readonly #start: Config;
  readonly #log: Logger;
  /** Settings that the files have otherwise than what runs, as they are called in the files. */
  waiting: readonly string[] = [];
  #told = '';

  constructor(start: Config, log: Logger) {
    this.#start = start;
    this.#log = log;
  }

  /** The configuration as it is in force. Says once of a change that it takes a restart, not again until there is another. */
  hold(wanted: Config): Config {
    const keys = (Object.keys(FIXED) as FixedKey[]).filter((key) => !isDeepStrictEqual(wanted[key], this.#start[key]));
    this.waiting = keys.map((key) => FIXED[key]);
    const values = JSON.stringify(keys.map((key) => [key, wanted[key]]));
    if (keys.length > 0 && values !== this.#told) {
      this.#log.warn({ settings: this.waiting }, 'these settings take a restart; all others are in force');
    }
    this.#told = values;
    if (keys.length === 0) return wanted;
    const start = Object.fromEntries((Object.keys(FIXED) as FixedKey[]).map((key) => [key, this.#start[key]]));
    return { ...wanted, ...start };
  }
}
