#!/usr/bin/env node
// Starts the command line: from src in a checkout, from dist where the package is installed. Plain JavaScript of long ago, so that
// an old Node can say that it is too old.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const root = new URL('../', import.meta.url);
const source = new URL('src/cli/main.ts', root);
const isCheckout = existsSync(source);
const pinnedNode = fileURLToPath(new URL('node_modules/node/bin/node', root));

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  const main = isCheckout ? source : new URL('dist/cli/main.js', root);
  import(main.href).then((cli) => cli.main(process.argv.slice(2)));
} else if (isCheckout && process.env.SIGNPOST_PINNED_NODE !== '1' && existsSync(pinnedNode)) {
  runPinnedNode();
} else {
  process.stderr.write(`signpost needs Node.js ${NEEDED} or later, and this is ${process.versions.node}.\n`);
  process.exitCode = 1;
}

/** A checkout brings its own Node: the same command line under that one, in our place as far as signals and exit codes go. */
function runPinnedNode() {
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const env = { ...process.env, SIGNPOST_PINNED_NODE: '1' };
  const child = spawn(pinnedNode, args, { stdio: 'inherit', env });
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  // A terminal sends Ctrl-C to both of us.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('error', (error) => {
    process.stderr.write(`Cannot run ${pinnedNode}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
