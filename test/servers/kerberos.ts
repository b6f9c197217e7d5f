import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, run } from './child.ts';
import { freePort } from './free-port.ts';
import { program } from './programs.ts';

/** What `startRealm` runs, for `skipWithout`. */
export const KERBEROS_PROGRAMS = ['krb5kdc', 'kdb5_util', 'kadmin.local', 'kinit'] as const;

/** Who can log in: with a password, or where there is none with the keys of the realm's keytab. */
export interface Principal {
  /** Without the realm: `updater`, `host/web.example.test`. */
  readonly name: string;
  readonly password?: string;
}

export interface Realm {
  /** `EXAMPLE.TEST`, with no dot at its end. */
  readonly name: string;
  /** The port of the key distribution centre (KDC) on its address, UDP and TCP. */
  readonly port: number;
  /** A keytab with the keys of all principals that have no password. */
  readonly keytab: string;
  /** Environment of clients and servers: it says nothing of where the KDC is, so they look that up (RFC 4120, section 7.2.3). */
  readonly env: NodeJS.ProcessEnv;
  /** Gets a ticket with kinit. Returns the environment of a client that has it; rejects with what kinit said. */
  logIn(principal: Principal): Promise<NodeJS.ProcessEnv>;
  /** Everything the KDC has logged: one line for each request. */
  log(): string;
  stop(): Promise<void>;
}

export interface RealmOptions {
  readonly name: string;
  /** Where the KDC listens. */
  readonly host: string;
  readonly principals: readonly Principal[];
}

/** MIT Kerberos' own KDC on a free port, with a database and keys that live as long as it. Takes about half a second. */
export async function startRealm({ name, host, principals }: RealmOptions): Promise<Realm> {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-kerberos-'));
  const inFolder = (file: string) => join(folder, file);
  const port = await freePort();
  await writeFile(inFolder('krb5.conf'), clientConfiguration(name));
  await writeFile(inFolder('kdc.conf'), kdcConfiguration(folder, name, `${host}:${port}`));
  // The replay cache of servers would lie in a folder that all users of the machine share.
  const env = { ...process.env, KRB5_CONFIG: inFolder('krb5.conf'), KRB5RCACHEDIR: folder };
  const kdcEnv = { ...env, KRB5_KDC_PROFILE: inFolder('kdc.conf') };
  const administer = async (tool: string, ...args: string[]) => {
    const { code, stdout, stderr } = await run(program(tool), ['-r', name, ...args], { cwd: folder, env: kdcEnv });
    if (code !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stdout}${stderr}`);
  };
  const keytab = inFolder('keytab');
  await administer('kdb5_util', 'create', '-s', '-P', 'master');
  for (const { name: principal, password } of principals) {
    await administer('kadmin.local', 'add_principal', ...(password ? ['-pw', password] : ['-randkey']), principal);
    if (!password) await administer('kadmin.local', 'ktadd', '-norandkey', '-k', keytab, principal);
  }
  const child = new Child(program('krb5kdc'), ['-n', '-r', name], { cwd: folder, env: kdcEnv });
  await child.waitUntil('listening', () => child.output.includes('commencing operation'));
  let tickets = 0;
  return {
    name,
    port,
    keytab,
    env,
    log: () => child.output,
    async logIn(principal) {
      const withTicket = { ...env, KRB5CCNAME: `FILE:${inFolder(`ticket-${++tickets}`)}` };
      await kinit(`${principal.name}@${name}`, principal.password ?? { keytab }, withTicket);
      return withTicket;
    },
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function kinit(principal: string, secret: string | { keytab: string }, env: NodeJS.ProcessEnv): Promise<void> {
  const isPassword = typeof secret === 'string';
  const args = isPassword ? [principal] : ['-k', '-t', secret.keytab, principal];
  const { code, stdout, stderr } = await run(program('kinit'), args, {
    env,
    ...(isPassword && { input: `${secret}\n` }),
  });
  if (code !== 0) throw new Error(`kinit ${principal}: ${stdout}${stderr}`);
}

function clientConfiguration(realm: string): string {
  return `[libdefaults]
  default_realm = ${realm}
  dns_lookup_kdc = true
  dns_lookup_realm = true
`;
}

function kdcConfiguration(folder: string, realm: string, address: string): string {
  return `[kdcdefaults]
  kdc_listen = ${address}
  kdc_tcp_listen = ${address}
[realms]
  ${realm} = {
    database_name = ${join(folder, 'principal')}
    key_stash_file = ${join(folder, 'stash')}
    supported_enctypes = aes256-cts:normal
  }
[logging]
  kdc = STDERR
`;
}
