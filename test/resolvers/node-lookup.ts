/** Looks names up with Node.js: `dns.lookup`, which is libc's, or with `resolve` as argument its own c-ares. See lookup.ts for what it reads and writes. */
import { promises as dns } from 'node:dns';
import { createInterface } from 'node:readline';

interface Found {
  readonly status: string;
  readonly found: readonly string[];
}

const isResolving = process.argv[2] === 'resolve';

async function lookUp(kind: string, name: string): Promise<readonly string[]> {
  if (kind === 'SRV') return (await dns.resolveSrv(name)).map((record) => record.name);
  if (kind === 'MX') return (await dns.resolveMx(name)).map((record) => record.exchange);
  if (isResolving) return resolve(kind, name);
  const family = kind === 'A' || kind === 'HOST' ? 4 : kind === 'AAAA' ? 6 : 0;
  return (await dns.lookup(name, { all: true, family })).map(({ address }) => address);
}

async function resolve(kind: string, name: string): Promise<readonly string[]> {
  if (kind === 'A' || kind === 'HOST') return dns.resolve4(name);
  if (kind === 'AAAA') return dns.resolve6(name);
  const both = await Promise.allSettled([dns.resolve4(name), dns.resolve6(name)]);
  const found = both.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  if (found.length === 0 && both[0].status === 'rejected') throw both[0].reason;
  return found;
}

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'NONAME',
  ENODATA: 'NODATA',
  EAI_AGAIN: 'AGAIN',
  ESERVFAIL: 'AGAIN',
  ETIMEOUT: 'TIMEOUT',
};

function word({ code = '' }: NodeJS.ErrnoException): string {
  return WORDS[code] ?? code;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [kind = '', name = ''] = line.split(' ');
  const { status, found }: Found = await lookUp(kind, name).then(
    (found) => ({ status: 'ok', found }),
    (error) => ({ status: word(error), found: [] }),
  );
  console.log([kind, name, status, '', found.join(',')].join('\t'));
}
