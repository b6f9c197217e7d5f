/**
 * A terminal's Ctrl-C comes from the terminal and again from npm, and systemd's SIGTERM from systemd and again from the process that started this one at SIGUSR2; so close together
 * they are one.
 */
const SAME_MS = 300;

/**
 * Runs `stop` at the first SIGTERM or SIGINT and then ends the process with code 0, or 1 where `stop` throws. A second signal ends it at
 * once: whoever sends it has waited long enough.
 */
export function stopOnSignals(stop: (signal: 'SIGTERM' | 'SIGINT') => Promise<void>): void {
  let first: { signal: NodeJS.Signals; ms: number } | undefined;
  const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => {
    const ms = performance.now();
    if (first === undefined) {
      first = { signal, ms };
      stop(signal).then(() => process.exit(0), fail);
    } else if (first.signal !== signal || ms - first.ms > SAME_MS) {
      process.exit(0);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

function fail(error: unknown): never {
  process.stderr.write(`Cannot stop cleanly: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
