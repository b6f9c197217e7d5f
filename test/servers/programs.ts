import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `test/cluster/build.sh` puts what no Debian package has. */
const TESTBED = fileURLToPath(new URL('../../.cache/testbed/bin', import.meta.url));

/** Daemons live in sbin, which is not on everyone's PATH. */
const FOLDERS = [TESTBED, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** What to do where a program is missing; the others are Debian packages of nearly the same name. */
const REMEDIES: Readonly<Record<string, string>> = {
  named: 'apt-get install bind9',
  'dnssec-keygen': 'apt-get install bind9-utils',
  'dnssec-signzone': 'apt-get install bind9-utils',
  dig: 'apt-get install bind9-dnsutils',
  delv: 'apt-get install bind9-dnsutils',
  kdig: 'apt-get install knot-dnsutils',
  unbound: 'apt-get install unbound',
  dnsdist: 'apt-get install dnsdist',
  dnsperf: 'apt-get install dnsperf',
  ip: 'apt-get install iproute2',
  nft: 'apt-get install nftables',
  'iptables-nft': 'apt-get install iptables',
  'iptables-legacy': 'apt-get install iptables',
  nsupdate: 'apt-get install bind9-dnsutils',
  krb5kdc: 'apt-get install krb5-kdc',
  kdb5_util: 'apt-get install krb5-kdc',
  'kadmin.local': 'apt-get install krb5-admin-server',
  kinit: 'apt-get install krb5-user',
  debootstrap: 'apt-get install debootstrap',
  'musl-gcc': 'apt-get install musl-tools',
  etcd: 'test/cluster/build.sh',
  'kube-apiserver': 'test/cluster/build.sh',
  coredns: 'test/cluster/build.sh',
  'external-dns': 'test/cluster/build.sh',
};

/**
 * False where all programs are there, else why a test cannot run here: the value of node:test's `skip`.
 * Where SIGNPOST_REQUIRE_SERVERS or CI is set, nothing may be skipped: throws instead.
 */
export function skipWithout(...names: string[]): string | false {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return false;
  return refuseInCi(`not installed: ${missing.map((name) => `${name} (${REMEDIES[name] ?? name})`).join(', ')}`);
}

/** `reason` as it is; throws where nothing may be skipped. */
export function refuseInCi(reason: string): string {
  if (process.env['SIGNPOST_REQUIRE_SERVERS'] || process.env['CI']) throw new Error(`Cannot skip in CI: ${reason}`);
  return reason;
}

/** The path of a program that is known to be there. */
export function program(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`Cannot find ${name}: ${REMEDIES[name] ?? 'not installed'}`);
  return path;
}

function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
