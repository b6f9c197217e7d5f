import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, type Server } from '../client/ask.ts';
import { Child } from './child.ts';
import { freePort } from './free-port.ts';
import { program } from './programs.ts';

export interface CoreDns extends Server {
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

export interface CoreDnsOptions {
  /** The Corefile, made for the port on which the server will be. */
  readonly corefile: (port: number) => string;
  /** A name that the server answers, whatever the answer, once it is ready. */
  readonly readyName: string;
  /** Files that the Corefile names, by name; they lie beside it. */
  readonly files?: Readonly<Record<string, string>>;
}

/** CoreDNS with any Corefile, on a free port of 127.0.0.1. */
export async function startCoreDns({ corefile, readyName, files = {} }: CoreDnsOptions): Promise<CoreDns> {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-coredns-'));
  const server = { host: '127.0.0.1', port: await freePort() };
  for (const [name, text] of Object.entries({ ...files, Corefile: corefile(server.port) })) {
    await writeFile(join(folder, name), text);
  }
  const child = new Child(program('coredns'), ['-conf', 'Corefile'], { cwd: folder });
  // SERVFAIL is what the kubernetes plugin says until its watches are in step.
  const question = { name: readyName, type: 'A', limitMs: 500 };
  await child.waitUntil('answering', () =>
    ask(server, question).then(
      (reply) => reply.rcode !== 2,
      () => false,
    ),
  );
  return {
    ...server,
    kill: (signal) => child.kill(signal),
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
