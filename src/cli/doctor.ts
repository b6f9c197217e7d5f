import type { Command } from 'commander';
import type { Flags } from '../config/flags.ts';
import { addConfigOptions, VALUES_HELP } from './config-options.ts';
import { EXIT_FAILED } from './exit-code.ts';

type DoctorFlags = Flags & { readonly json?: boolean; readonly host?: string };

/** `signpost doctor`. */
export function defineDoctor(command: Command): void {
  addConfigOptions(command)
    .summary("is this node's DNS sound: who answers, rules, upstreams, pods; each finding with its remedy")
    .description(
      "Looks whether this node's DNS is sound, and says of each finding what may be done about it. Reads only.\n" +
        'Run it where the agent runs: what the agent is to do is taken from its command line, unless flags are given here.\n' +
        'Ends with 0, or with 1 where something is an error.',
    )
    .option('--host <DIR>', "where the node's own files are (default: /host where that is a node's root, else /)")
    .option('--json', 'print JSON')
    .addHelpText('after', `${VALUES_HELP}\n${EXAMPLES}`)
    .action((flags: DoctorFlags) => doctor(flags));
}

const EXAMPLES = `
Examples:
  kubectl --namespace kube-system exec ds/signpost -- signpost doctor
  signpost doctor --json | jq '.checks[].findings[] | select(.level == "error")'`;

async function doctor({ json = false, host, ...flags }: DoctorFlags): Promise<void> {
  const [{ examine }, { admit }, { examinationText }] = await Promise.all([
    import('../doctor/examination.ts'),
    import('./doctor-patient.ts'),
    import('./examination-text.ts'),
  ]);
  const examination = await examine(await admit(flags, host));
  process.stdout.write(json ? `${JSON.stringify(examination, undefined, 2)}\n` : examinationText(examination));
  // Sockets of servers that are silent must not hold the command.
  process.exitCode = examination.healthy ? 0 : EXIT_FAILED;
}
