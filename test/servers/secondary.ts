import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, type Server } from '../client/ask.ts';
import { Child } from './child.ts';
import { program } from './programs.ts';

export interface SecondaryOptions {
  /** Without the trailing dot. */
  readonly zone: string;
  readonly port: number;
  /** Whom it fetches the zone from. */
  readonly primary: Server;
}

/** BIND 9 on 127.0.0.1 as secondary of one zone, which it has fetched once when this resolves. NOTIFY is taken from anyone. */
export async function startSecondary({ zone, port, primary }: SecondaryOptions): Promise<{ stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-secondary-'));
  await writeFile(
    join(folder, 'named.conf'),
    `options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
  notify no;
  allow-notify { any; };
};
controls { };
zone "${zone}" { type secondary; file "zone"; primaries { ${primary.host} port ${primary.port}; }; };
`,
  );
  const child = new Child(program('named'), ['-g', '-n', '1', '-c', join(folder, 'named.conf')], { cwd: folder });
  const isFetched = () =>
    ask({ host: '127.0.0.1', port }, { name: zone, type: 'SOA', limitMs: 200 }).then(
      ({ rcode }) => rcode === 0,
      () => false,
    );
  await child.waitUntil('in possession of its zone', isFetched);
  return {
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
