import { freePort, launch, type Server } from './server.ts';

/** A server of the user's own. */
export interface Peer {
  readonly name: string;
  /** A line for the shell, where `{port}`, `{upstream}` and `{folder}` stand for what is known only when it starts. */
  readonly command: string;
}

/** It must listen on 127.0.0.1. Its environment has the same as its placeholders, for configuration files that can read it. */
export function peer({ name, command }: Peer): Server {
  return {
    name,
    async start({ core, folder, upstreamPort }) {
      const port = await freePort();
      const upstream = `127.0.0.1:${upstreamPort}`;
      const line = fillIn(command, { port: String(port), upstream, folder });
      // exec: the shell becomes the program, so that the process measured is the server.
      const env = { BENCH_PORT: String(port), BENCH_UPSTREAM: upstream, BENCH_FOLDER: folder };
      return launch(core, port, ['sh', '-c', `exec ${line}`], env);
    },
  };
}

/** Puts values for `{name}`; braces with another word in them stay as they are. */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
