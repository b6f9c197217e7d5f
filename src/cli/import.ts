import type { Command } from 'commander';
import { Complaints, shown } from '../config/complaints.ts';
import { ConfigErrors } from '../config/config-errors.ts';
import type { ImportedCorefile } from '../config/corefile/corefile-reader.ts';
import type { Note } from '../config/corefile/note.ts';
import type { Flags, Surroundings } from '../config/flags.ts';
import type { Settings } from '../config/settings.ts';
import { collect } from './config-options.ts';
import { EXIT_USAGE } from './exit-code.ts';
import { processSurroundings } from './surroundings.ts';

type ImportFlags = Pick<Flags, 'listen' | 'clusterDns' | 'clusterDomain' | 'resolvConf'> & { readonly json?: boolean };

/** `signpost import`. */
export function defineImport(command: Command): void {
  command
    .summary('turn a Corefile or a kube-dns ConfigMap into flags and a configuration file')
    .description(
      'Reads a Corefile of NodeLocal DNSCache or CoreDNS, or a ConfigMap in YAML that holds one or that is named kube-dns, and prints\n' +
        'a file for --config. Comments on top of it name, with its line, each thing that has no equal, and whether that matters.',
    )
    .argument('<FILE>', 'Corefile, or ConfigMap in YAML')
    .option('--listen <IP[:PORT]>', 'what __PILLAR__LOCAL__DNS__ stands for; may be repeated', collect)
    .option('--cluster-dns <UPSTREAM>', 'what __PILLAR__CLUSTER__DNS__ stands for; may be repeated', collect)
    .option('--cluster-domain <NAME>', 'what __PILLAR__DNS__DOMAIN__ stands for')
    .option('--resolv-conf <FILE>', 'what __PILLAR__UPSTREAM__SERVERS__ stands for')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action((file: string, flags: ImportFlags) => importFile(file, flags));
}

const EXAMPLES = `
Examples:
  signpost import /etc/coredns/Corefile > signpost.yaml && signpost check --config signpost.yaml
  kubectl -n kube-system get configmap node-local-dns -o yaml > map.yaml && signpost import map.yaml
To use a Corefile as it is: signpost serve --corefile FILE`;

const CLUSTER_DNS_UNSAID = [
  'Where the cluster DNS is, it does not say: KUBE_DNS_UPSTREAM_SERVICE_HOST or KUBE_DNS_SERVICE_HOST of the pod does, or --cluster-dns.',
];

async function importFile(file: string, flags: ImportFlags): Promise<void> {
  const [{ importText, checkImported }, { readCorefile }, { plainSettings, settingsFlags }, { flagSettings }] =
    await Promise.all([
      import('../config/corefile/import-file.ts'),
      import('../config/corefile/corefile-reader.ts'),
      import('../config/settings-yaml.ts'),
      import('../config/flag-settings.ts'),
    ]);
  const read = (surroundings: Surroundings): ImportedCorefile => {
    const complaints = new Complaints();
    const text = complaints.read('ERR_COREFILE', `read ${shown(file)}`, 'FILE', () => readCorefile(file, surroundings));
    complaints.throwIfAny();
    const { settings, notes } = importText(text!, file, flags, surroundings, complaints);
    complaints.throwIfAny();
    // What placeholders stand for is no setting of the Corefile, but a person who says it wants it in the file.
    const { clusterDns, resolvConf } = flagSettings(flags, complaints);
    const whole: Settings = {
      ...(clusterDns && { clusterDns }),
      ...(resolvConf && settings.upstreams === undefined && { resolvConf }),
      ...settings,
    };
    checkImported(whole, complaints);
    complaints.throwIfAny();
    return { settings: whole, notes };
  };
  try {
    const { settings, notes } = read(processSurroundings());
    if (flags.json === true) {
      printJson({ settings: plainSettings(settings), ...settingsFlags(settings), notes, errors: [] });
    } else process.stdout.write(await importedText(file, settings, notes));
  } catch (error) {
    if (flags.json !== true || !(error instanceof ConfigErrors)) throw error;
    printJson({ errors: error.errors.map(({ code, message }) => ({ code, message })) });
    process.exitCode = EXIT_USAGE;
  }
}

function printJson(report: object): void {
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
}

/** The file, under what a person has to know. */
async function importedText(file: string, settings: Settings, notes: readonly Note[]): Promise<string> {
  const { settingsFlags, settingsYaml } = await import('../config/settings-yaml.ts');
  const { flags, isAll } = settingsFlags(settings);
  const words = ['signpost', 'serve', ...flags].map((word) => (/^[\w./:=,#@+-]+$/.test(word) ? word : `'${word}'`));
  const comments = [
    `From ${file}. Save this as signpost.yaml, then: signpost serve --config signpost.yaml`,
    isAll
      ? 'The same in flags, without a file:'
      : 'In flags, without a file, and without what the zones below say beside their upstreams:',
    `  ${words.join(' ')}`,
    ...(settings.clusterDns === undefined ? CLUSTER_DNS_UNSAID : []),
    ...section(
      'Has no equal here, and matters:',
      notes.filter(({ matters }) => matters),
    ),
    ...section(
      'Built in, or left out without clients noticing:',
      notes.filter(({ matters }) => !matters),
    ),
  ];
  return `${comments.map((line) => `# ${line}`.trimEnd()).join('\n')}\n\n${settingsYaml(settings)}`;
}

/** Notes that say the same stand in one line, with all their places. */
function section(title: string, notes: readonly Note[]): string[] {
  const places = new Map<string, string[]>();
  for (const { place, name, text } of notes) {
    const said = `${name} ${text}`;
    places.set(said, [...(places.get(said) ?? []), place]);
  }
  if (places.size === 0) return [];
  return ['', title, ...[...places].map(([said, where]) => `  ${where.join(', ')}: ${said}`)];
}
