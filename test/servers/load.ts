import { writeFile } from 'node:fs/promises';
import type { Server } from '../client/ask.ts';
import { run } from './child.ts';
import { program } from './programs.ts';

export interface LoadResult {
  readonly sent: number;
  readonly completed: number;
  /** Answers by rcode. */
  readonly rcodes: Readonly<Record<string, number>>;
  readonly output: string;
}

export interface LoadOptions {
  /** Lines of `NAME TYPE`. */
  readonly queries: readonly string[];
  /** Where the list may be written. */
  readonly file: string;
  readonly flags?: readonly string[];
}

/** Sends each query of the list once (or as `flags` say) with dnsperf. */
export async function load(server: Server, { queries, file, flags = [] }: LoadOptions): Promise<LoadResult> {
  await writeFile(file, `${queries.join('\n')}\n`);
  const args = ['-s', server.host, '-p', `${server.port}`, '-d', file, '-c', '4', '-t', '5', ...flags];
  const { code, stdout, stderr } = await run(program('dnsperf'), args);
  if (code !== 0) throw new Error(`dnsperf: ${stderr}${stdout}`);
  const count = (label: string) => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(stdout)?.[1]);
  const codes = /Response codes:\s+(.*)/.exec(stdout)?.[1] ?? '';
  return {
    sent: count('Queries sent'),
    completed: count('Queries completed'),
    rcodes: Object.fromEntries([...codes.matchAll(/(\w+) (\d+)/g)].map(([, rcode, number]) => [rcode, Number(number)])),
    output: stdout,
  };
}
