import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { ConfigError } from '../core/errors.ts';
import type { ApiAccess, Credentials } from './api-access.ts';

/** Keys of a file, whichever they are. */
type Keys = Readonly<Record<string, unknown>>;

/**
 * The access that a kubeconfig's current context gives: by token, token file or client certificate. Programs that make credentials (`exec`), and passwords, are not
 * supported. Files that it names are read again for each request. Throws `ConfigError`.
 */
export async function kubeconfigAccess(path: string): Promise<ApiAccess> {
  const file = await read(path);
  const context = named(file, 'contexts', 'context', text(file, 'current-context') ?? '', path);
  const cluster = named(file, 'clusters', 'cluster', text(context, 'cluster') ?? '', path);
  const user = text(context, 'user') === undefined ? {} : named(file, 'users', 'user', text(context, 'user')!, path);
  refuseUnsupported(user, cluster, path);
  const folder = dirname(path);
  return {
    server: serverOf(text(cluster, 'server'), path),
    serverName: text(cluster, 'tls-server-name'),
    isInsecure: cluster['insecure-skip-tls-verify'] === true,
    origin: path,
    credentials: async (): Promise<Credentials> => ({
      token: text(user, 'token') ?? (await fileAt(user, 'tokenFile', folder))?.trim(),
      ca: await dataOrFile(cluster, 'certificate-authority', folder),
      certificate: await dataOrFile(user, 'client-certificate', folder),
      key: await dataOrFile(user, 'client-key', folder),
    }),
  };
}

async function read(path: string): Promise<Keys> {
  try {
    const file: unknown = parse(await readFile(path, 'utf8'));
    if (isKeys(file)) return file;
  } catch (error) {
    // What follows is the place in the file, which may be that of a token.
    throw refusal(path, (error as Error).message.split('\n', 1)[0]!.replace(/:$/, ''));
  }
  throw refusal(path, 'expected a kubeconfig (kind: Config)');
}

/** An entry of one of the lists of names: `contexts: [{name, context: {…}}]`. */
function named(file: Keys, list: string, key: string, name: string, path: string): Keys {
  const entries = Array.isArray(file[list]) ? (file[list] as unknown[]) : [];
  const entry = entries.find((candidate) => isKeys(candidate) && candidate['name'] === name);
  const value = isKeys(entry) ? entry[key] : undefined;
  if (isKeys(value)) return value;
  const names = entries.flatMap((candidate) => (isKeys(candidate) ? String(candidate['name']) : []));
  throw refusal(path, `it has no ${key} '${name}' (${list}: ${names.join(', ') || 'none'})`);
}

function refuseUnsupported(user: Keys, cluster: Keys, path: string): void {
  const remedy = 'expected token, tokenFile or client-certificate';
  if (user['exec'] !== undefined || user['auth-provider'] !== undefined) {
    throw refusal(path, `its user gets credentials from a program, which is not supported; ${remedy}`);
  }
  if (user['username'] !== undefined) throw refusal(path, `its user has a password, which is not supported; ${remedy}`);
  if (cluster['proxy-url'] !== undefined)
    throw refusal(path, 'proxy-url is not supported; expected a server to be reached directly');
}

function serverOf(server: string | undefined, path: string): URL {
  try {
    const url = new URL(server ?? '');
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  } catch {
    // The same as for another protocol.
  }
  throw refusal(
    path,
    `its server is ${server === undefined ? 'missing' : `'${server}'`}; expected such as https://10.96.0.1`,
  );
}

async function dataOrFile(keys: Keys, key: string, folder: string): Promise<string | undefined> {
  const data = text(keys, `${key}-data`);
  return data === undefined ? fileAt(keys, key, folder) : Buffer.from(data, 'base64').toString('utf8');
}

async function fileAt(keys: Keys, key: string, folder: string): Promise<string | undefined> {
  const path = text(keys, key);
  return path === undefined ? undefined : readFile(resolve(folder, path), 'utf8');
}

function text(keys: Keys, key: string): string | undefined {
  const value = keys[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isKeys(value: unknown): value is Keys {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusal(path: string, reason: string): ConfigError {
  return new ConfigError('ERR_KUBERNETES', `Cannot use ${path} for the Kubernetes API (--kubernetes): ${reason}`);
}
