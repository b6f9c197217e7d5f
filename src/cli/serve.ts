import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { ConfigSource } from '../config/config-source.ts';
import type { Flags } from '../config/flags.ts';
import { readElsewhere } from '../config/reading-elsewhere.ts';
import { loadSettingsReaders } from '../config/settings-readers.ts';
import { withClusterDns } from './cluster-dns-lookup.ts';
import { addConfigOptions, VALUES_HELP } from './config-options.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { processSurroundings } from './surroundings.ts';

/** `signpost serve`. */
export function defineServe(command: Command): void {
  addConfigOptions(command)
    .summary('run the agent: what the DaemonSet does')
    .description(
      'Runs the agent: listens, caches, and forwards cluster names to the cluster DNS and all others to the upstreams.\n' +
        'SIGTERM: not ready, answers for the lameduck time, ends. SIGHUP: reads the files again. SIGUSR2: a new process takes over (with --state).',
    )
    .addHelpText('after', `${VALUES_HELP}\n${EXAMPLES}`)
    .action((flags: Flags) => serve(flags));
}

const EXAMPLES = `
Examples:
  signpost serve --cluster-dns 10.96.0.10
  signpost serve --listen 169.254.20.10 --listen [fd00::10] --cluster-dns 10.96.0.10 --upstream 9.9.9.9
  signpost serve --listen 127.0.0.1:5300 --cluster-dns tcp://10.96.0.10 --route corp.example=10.1.2.3,10.1.2.4`;

async function serve(flags: Flags): Promise<void> {
  const readers = await loadSettingsReaders(flags);
  const { source, config, notes } = await withClusterDns(processSurroundings(), (surroundings) => {
    const source = new ConfigSource(flags, surroundings, readers, readElsewhere);
    return { source, ...source.load() };
  });
  const [{ Agent }, { createLogger }, { SuccessorProcesses }] = await Promise.all([
    import('../agent/agent.ts'),
    import('../agent/logger.ts'),
    import('../agent/successor-processes.ts'),
  ]);
  const log = createLogger({ level: config.logLevel, format: config.logFormat });
  for (const note of notes) log.warn({}, note);
  const ending = new AbortController();
  const starting = Agent.start(config, { log, reloads: source, signal: ending.signal });
  const apply = async (next: Config): Promise<void> => {
    await (await starting).reload(next);
    log.level = next.logLevel;
  };
  // A start that fails says so below.
  const unstarted = (): void => {};
  const reload = (): void => void starting.then(() => source.reload(apply, log), unstarted);
  const unwatch = source.watch(reload);
  process.on('SIGHUP', reload);
  const successors = new SuccessorProcesses(log);
  process.on('SIGUSR2', () => void starting.then(({ handOver }) => successors.begin(handOver), unstarted));
  stopOnSignals(async (signal) => {
    unwatch();
    // A start that waits behind a newer process waits no more.
    ending.abort();
    const agent = await starting.catch(() => undefined);
    const haveEnded = successors.end(signal);
    // A person at the keyboard has nothing to drain.
    await agent?.stop(signal === 'SIGINT' ? { lameduckMs: 0 } : {});
    await haveEnded;
  });
  const agent = await starting.catch((error) => {
    if (!ending.signal.aborted) throw error;
  });
  if (agent === undefined) return;
  // Control plane only, for the data plane does not throw: what failed is lost, the node's DNS is not.
  process.on('uncaughtException', (error, origin) => {
    agent.panics++;
    log.error({ error, origin }, 'uncaught error; the agent goes on');
  });
}
