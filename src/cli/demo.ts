import type { Command } from 'commander';
import { Complaints } from '../config/complaints.ts';
import { httpAddresses } from '../config/http-addresses.ts';
import { listenAddresses } from '../config/listen-addresses.ts';
import type { Said } from '../config/settings.ts';
import { collect } from './config-options.ts';
import { stopOnSignals } from './stop-on-signals.ts';

const DEFAULT_LISTEN = '127.0.0.1:5300';
const DEFAULT_METRICS = '127.0.0.1:9253';
const DEFAULT_ADMIN = '127.0.0.1:9254';

interface DemoFlags {
  readonly listen?: readonly string[];
  readonly cluster?: string;
  readonly metrics: string;
  readonly admin: string;
}

/** `signpost demo`. */
export function defineDemo(command: Command): void {
  command
    .summary('serve, with a small cluster inside: nothing to set up')
    .description(
      'Runs the agent between a small cluster DNS and a few outside names of its own, in one process and on loopback.\nPrints what to try; Ctrl-C ends it.',
    )
    .option('--listen <IP[:PORT]>', `UDP and TCP; may be repeated (default ${DEFAULT_LISTEN})`, collect)
    .option('--cluster <FILE>', 'YAML: your own namespaces, Services and outside names')
    .option('--metrics <IP:PORT|off>', '/metrics alone', DEFAULT_METRICS)
    .option('--admin <IP:PORT|off>', 'status page, /health, /ready, /metrics', DEFAULT_ADMIN)
    .action((flags: DemoFlags) => demo(flags));
}

async function demo(flags: DemoFlags): Promise<void> {
  const complaints = new Complaints();
  const said = (name: string, text: string): Said => ({ text, origin: { name } });
  const listen = listenAddresses(
    (flags.listen ?? [DEFAULT_LISTEN]).map((text) => said('--listen', text)),
    complaints,
  );
  const http = httpAddresses([said('--metrics', flags.metrics)], [said('--admin', flags.admin)], complaints);
  complaints.throwIfAny();
  const [{ startDemo }, { createLogger }] = await Promise.all([
    import('../demo/demo.ts'),
    import('../agent/logger.ts'),
  ]);
  const starting = startDemo({
    listen,
    cluster: flags.cluster,
    ...http,
    // What the demo has to say stands on standard output; the log is for trouble.
    log: createLogger({ level: 'warn', descriptor: 2 }),
    print: (line) => process.stdout.write(`${line}\n`),
  });
  stopOnSignals(async () => (await starting).stop());
  await starting;
}
