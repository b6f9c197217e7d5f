import { formatByteSize, parseByteSize } from './byte-size.ts';
import type { Config, NodeNetworkMode, PolicyName, SearchMode } from './config.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { LOG_FORMATS, LOG_LEVELS, NODE_NETWORK_MODES, POLICIES, SEARCH_MODES } from './flags.ts';
import { Refusal } from './refusal.ts';

/** How the text of one setting is read. */
export interface ValueKind<T> {
  /** What may be written, as messages and the documentation say it: `a duration from 0 to 24h`. */
  readonly allowed: string;
  readonly example: string;
  /** Throws `Refusal`. */
  read(text: string): T;
}

const MIB = 1024 * 1024;
const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Every setting that is one value of its own, whatever else is said. Addresses, names and files are read where their surroundings are known. */
export const KINDS = {
  cacheSize: byteSize(MIB, 1024 * MIB, '64MiB'),
  lameduck: duration(0, HOUR_MS, '5s'),
  nodeNetwork: oneOf<NodeNetworkMode>(NODE_NETWORK_MODES, 'auto'),
  interface: pattern(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/,
    'a name of 1 to 15 letters, digits, dots, dashes and underscores',
    'signpost0',
  ),
  nodeName: pattern(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'the name of a Kubernetes node', 'node-7.example'),
  state: pattern(/^\/[^\0]*$/, 'the absolute path of a folder', '/run/signpost'),
  clusterDnsService: pattern(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'NAMESPACE/NAME of a Service',
    'kube-system/coredns',
  ),
  kubernetes: pattern(/^(off|auto|\/[^\0]*)$/, 'off, auto, or the absolute path of a kubeconfig', 'off'),
  search: oneOf<SearchMode>(SEARCH_MODES, 'complete'),
  logLevel: oneOf<Config['logLevel']>(LOG_LEVELS, 'debug'),
  logFormat: oneOf<Config['logFormat']>(LOG_FORMATS, 'json'),
  logSample: logSample(),
  policy: oneOf<PolicyName>(POLICIES, 'fastest'),
  tryTimeout: duration(50, 30 * SECOND_MS, '500ms'),
  totalTimeout: duration(100, 60 * SECOND_MS, '3s'),
  onOff: onOff(),
  minTtl: seconds(0, DAY_MS, '5s'),
  maxTtl: seconds(0, DAY_MS, '10m'),
  negativeMinTtl: seconds(0, DAY_MS, '1s'),
  negativeMaxTtl: seconds(0, DAY_MS, '10s'),
  stale: orOff(seconds(0, 7 * DAY_MS, '24h')),
  staleTtl: seconds(0, HOUR_MS, '10s'),
  staleAfter: duration(0, 10 * SECOND_MS, '200ms'),
  prefetch: orOff(wholeNumber(0, 1_000_000, '5')),
  keepLastGood: orOff(seconds(0, HOUR_MS, '30s')),
} as const;

function duration(minMs: number, maxMs: number, example: string): ValueKind<number> {
  return {
    allowed: `a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`,
    example,
    read: (text) => parseDuration(text, minMs, maxMs),
  };
}

/** A duration in whole seconds, as TTLs are. */
function seconds(minMs: number, maxMs: number, example: string): ValueKind<number> {
  const allowed = `a duration in whole seconds from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  const read = (text: string): number => {
    const ms = orRefusal(() => parseDuration(text, minMs, maxMs), Number.NaN);
    if (!(ms % SECOND_MS === 0)) throw new Refusal(`expected ${allowed}, such as ${example}`);
    return ms / SECOND_MS;
  };
  return { allowed, example, read };
}

function pattern(shape: RegExp, allowed: string, example: string): ValueKind<string> {
  const read = (text: string): string => {
    if (!shape.test(text)) throw new Refusal(`expected ${allowed}, such as ${example}`);
    return text;
  };
  return { allowed, example, read };
}

function byteSize(min: number, max: number, example: string): ValueKind<number> {
  return {
    allowed: `a size from ${formatByteSize(min)} to ${formatByteSize(max)}`,
    example,
    read: (text) => parseByteSize(text, min, max),
  };
}

function wholeNumber(min: number, max: number, example: string): ValueKind<number> {
  const allowed = `a whole number from ${min} to ${max}`;
  const read = (text: string): number => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < min || Number(text) > max) throw new Refusal(`expected ${allowed}`);
    return Number(text);
  };
  return { allowed, example, read };
}

function logSample(): ValueKind<number> {
  const { allowed, read } = wholeNumber(0, 999_999_999, '');
  return { allowed: `${allowed}: 0 logs no query, 1 every one`, example: '100', read };
}

function oneOf<T extends string>(names: readonly T[], example: T): ValueKind<T> {
  const allowed = names.join(', ');
  const read = (text: string): T => {
    const found = names.find((name) => name === text);
    if (found === undefined) throw new Refusal(`expected ${allowed}`);
    return found;
  };
  return { allowed, example, read };
}

/** `true` and `false` are what YAML's own writers make of the two. */
function onOff(): ValueKind<boolean> {
  const allowed = 'on, off';
  const read = (text: string): boolean => {
    if (text === 'on' || text === 'true') return true;
    if (text === 'off' || text === 'false') return false;
    throw new Refusal(`expected ${allowed}`);
  };
  return { allowed, example: 'off', read };
}

/** `off` is 0. */
function orOff(kind: ValueKind<number>): ValueKind<number> {
  const allowed = `off, or ${kind.allowed}`;
  const read = (text: string): number => {
    if (text === 'off' || text === 'false') return 0;
    const value = orRefusal(() => kind.read(text), undefined);
    if (value === undefined) throw new Refusal(`expected ${allowed}, such as ${kind.example}`);
    return value;
  };
  return { allowed, example: kind.example, read };
}

/** What `read` gives, or `refused` where it has no use for its value: another reason is given in place of its own. */
function orRefusal<T, R>(read: () => T, refused: R): T | R {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return refused;
    throw error;
  }
}
