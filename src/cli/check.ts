import type { Command } from 'commander';
import { ConfigErrors } from '../config/config-errors.ts';
import type { Flags, Surroundings } from '../config/flags.ts';
import { configFromFlags, type LoadedConfig } from '../config/from-flags.ts';
import { loadSettingsReaders } from '../config/settings-readers.ts';
import { formatUpstreamAddress } from '../config/upstream-address.ts';
import { ConfigError } from '../core/errors.ts';
import { withClusterDns } from './cluster-dns-lookup.ts';
import { addConfigOptions, VALUES_HELP } from './config-options.ts';
import { EXIT_USAGE } from './exit-code.ts';
import { processSurroundings } from './surroundings.ts';
import type { Probe } from './upstream-probe.ts';

/** `signpost check`. */
export function defineCheck(command: Command): void {
  addConfigOptions(command)
    .summary('read flags and files as serve would, and ask every upstream once')
    .description(
      'Reads flags and files as serve would, asks every upstream once over its own transport, and prints the effective configuration\n' +
        "and what serve would do with the node's network. Nothing is changed.\n" +
        'Ends with 0, or with 2 and what is wrong.',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', `${VALUES_HELP}\n\nExample:\n  signpost check --cluster-dns 10.96.0.10 --json`)
    .action((flags: CheckFlags) => check(flags));
}

type CheckFlags = Flags & { readonly json?: boolean };

async function check(flags: CheckFlags): Promise<void> {
  let loaded: LoadedConfig;
  try {
    const readers = await loadSettingsReaders(flags);
    const load = (surroundings: Surroundings) => configFromFlags(flags, surroundings, readers);
    // Somebody waits for what it is like now.
    loaded = await withClusterDns(processSurroundings(), load, 0);
  } catch (error) {
    if (flags.json !== true || !(error instanceof ConfigErrors)) throw error;
    return endWith({ errors: error.errors.map(errorJson) }, EXIT_USAGE);
  }
  const [{ probeUpstreams }, { configText }, { planNetwork }] = await Promise.all([
    import('./upstream-probe.ts'),
    import('./config-text.ts'),
    import('../doctor/network-plan.ts'),
  ]);
  const [probes, network] = await Promise.all([probeUpstreams(loaded.config), planNetwork(loaded.config, process.env)]);
  const errors = probes.flatMap((probe) => (probe.failure === undefined ? [] : [probeError(probe, probe.failure)]));
  if (flags.json === true) {
    const upstreams = probes.map((probe) => ({ ...probe, address: formatUpstreamAddress(probe.address) }));
    return endWith(
      { ...loaded, network: network ?? null, upstreams, errors: errors.map(errorJson) },
      errors.length === 0 ? 0 : EXIT_USAGE,
    );
  }
  process.stdout.write(configText(loaded, probes, network));
  if (errors.length > 0) throw new ConfigErrors(errors);
}

function probeError({ address, zones }: Probe, failure: string): ConfigError {
  return new ConfigError(
    'ERR_UPSTREAM_SILENT',
    `Cannot get an answer from ${formatUpstreamAddress(address)}, which is asked for ${zones.join(', ')}: ${failure}`,
  );
}

function errorJson({ code, message }: ConfigError): { code: string; message: string } {
  return { code, message };
}

function endWith(report: object, exitCode: number): void {
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  process.exitCode = exitCode;
}
