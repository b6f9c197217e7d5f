import { Command, CommanderError } from 'commander';
import { ConfigError, SignpostError, StartError } from '../core/errors.ts';
import { packageVersion } from '../core/version.ts';
import { defineCheck } from './check.ts';
import { defineDemo } from './demo.ts';
import { defineDoctor } from './doctor.ts';
import { EXIT_FAILED, EXIT_NO_AGENT, EXIT_USAGE } from './exit-code.ts';
import { defineImport } from './import.ts';
import { defineManifests } from './manifests.ts';
import { defineQuery } from './query.ts';
import { defineServe } from './serve.ts';
import { defineStatus } from './status.ts';
import { defineTeardown } from './teardown.ts';

/**
 * Runs the command line `args` (without node and script). Each command loads the rooms that it needs when it runs, so that help is
 * quick. A command that failed ends the process; one that serves goes on.
 */
export async function main(args: readonly string[]): Promise<void> {
  // A reader such as `head` that has seen enough is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT_FAILED));
  try {
    await program().parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exit(exitCodeFor(error));
  }
}

function program(): Command {
  const signpost = new Command('signpost')
    .description(
      'The node-local DNS cache for Kubernetes: answers the pods of a node from memory, and asks the cluster DNS and the outside world for them.',
    )
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this, or the help of a command')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(--help after a command tells more)')
    .addHelpText('after', EXAMPLES);
  defineServe(signpost.command('serve'));
  defineDemo(signpost.command('demo'));
  defineCheck(signpost.command('check'));
  defineQuery(signpost.command('query'));
  defineStatus(signpost.command('status'));
  defineDoctor(signpost.command('doctor'));
  defineTeardown(signpost.command('teardown'));
  defineImport(signpost.command('import'));
  defineManifests(signpost.command('manifests'));
  return signpost;
}

const EXAMPLES = `
New here? In one terminal:
  signpost demo
and in another:
  signpost query web.default.svc.cluster.local --server 127.0.0.1:5300

Exit codes: 0 done; 1 failed while running; 2 wrong usage or configuration; 3 no agent answers.`;

/** Says what a person has to know, unless commander has said it, and returns the exit code that stands for it. */
function exitCodeFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const isExpected = error instanceof SignpostError;
  process.stderr.write(`${isExpected ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  if (error instanceof ConfigError) return EXIT_USAGE;
  return isExpected && !(error instanceof StartError) && error.code === 'ERR_NO_AGENT' ? EXIT_NO_AGENT : EXIT_FAILED;
}
