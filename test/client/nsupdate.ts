import { run } from '../servers/child.ts';
import { program } from '../servers/programs.ts';
import type { Server } from './ask.ts';

export interface UpdateOptions {
  /** Where the update is sent, whatever the zone's SOA says. */
  readonly server: Server;
  readonly zone: string;
  /** As nsupdate reads them: `update add a.example.test 60 A 192.0.2.1`, `prereq nxdomain ...`, `send`. */
  readonly lines: readonly string[];
  /** `-g`: signed with the client's Kerberos ticket. `-v`: over TCP. `-y ALGORITHM:KEY:SECRET`: signed with a shared key. */
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Sends an update with BIND's own client, which verifies what is signed of the reply. The reply's status (`NOERROR`), or what nsupdate says went wrong. */
export async function nsupdate({ server, zone, lines, flags = [], env }: UpdateOptions): Promise<string> {
  const input = [`server ${server.host} ${server.port}`, `zone ${zone}`, ...lines, 'send', 'answer', ''].join('\n');
  const { code, stdout, stderr } = await run(program('nsupdate'), flags, { input, ...(env && { env }) });
  if (code !== 0) return (stderr || stdout).trim();
  return /status: (\w+)/.exec(stdout)?.[1] ?? `no answer: ${stdout}${stderr}`;
}
