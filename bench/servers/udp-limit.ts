import { freePort, launch, type Server } from './server.ts';

/** What the kernel's socket path allows: see udp-limit.c. */
export function udpLimit(program: string): Server {
  return {
    name: 'udp-limit',
    async start({ core }) {
      const port = await freePort();
      return launch(core, port, [program, String(port)]);
    },
  };
}
