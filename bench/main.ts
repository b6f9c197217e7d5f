import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bench } from './bench.ts';
import { BenchError } from './bench-error.ts';
import { FIGURES } from './figures/by-name.ts';
import { chooseCores, describeMachine, readMachine } from './machine.ts';
import type { Measure } from './measure.ts';
import { type Options, readOptions, UsageError } from './options.ts';
import { buildPrograms } from './programs.ts';
import { markdownTable } from './table.ts';

const CHECKOUT = join(import.meta.dirname, '..');

/** Measures the figures asked for, prints one table of all, and writes them as JSON. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const cores = chooseCores();
  stayOnCore(cores.generator);
  const bench = await Bench.open(options, buildPrograms(CHECKOUT), cores);
  try {
    sayWhatIsMissing(bench);
    const measures = await measureAll(bench);
    console.log(
      `\n${describeMachine(readMachine())}\n${options.rounds} rounds of ${options.seconds} s\n\n${markdownTable(measures)}\n`,
    );
    console.log(`written to ${writeResults(options, measures)}`);
  } finally {
    await bench.close();
  }
}

async function measureAll(bench: Bench): Promise<Measure[]> {
  const measures: Measure[] = [];
  for (const name of bench.options.figures) {
    console.log(`measuring ${name} ...`);
    const begin = performance.now();
    try {
      measures.push(...(await FIGURES[name](bench)));
      console.log(`measured ${name} in ${((performance.now() - begin) / 1000).toFixed(0)} s`);
    } catch (error) {
      // The other figures are still worth having.
      console.error(`${name}: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
  return measures;
}

/** This process and what it does not pin elsewhere stay off the core where the server is measured. */
function stayOnCore(core: number): void {
  execFileSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)], {
    stdio: 'ignore',
  });
}

function sayWhatIsMissing(bench: Bench): void {
  if (bench.coredns === undefined)
    console.log('without CoreDNS: no binary in .cache/testbed/bin, $SIGNPOST_TESTBED/bin or --coredns FILE');
  if (bench.unbound === undefined) console.log('without Unbound: it is not installed');
}

function writeResults(options: Options, measures: readonly Measure[]): string {
  const time = new Date().toISOString();
  const folder = join(CHECKOUT, 'bench', 'results');
  const file = join(folder, `${time.replaceAll(':', '-').slice(0, 19)}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ time, machine: readMachine(), options, measures }, undefined, 2)}\n`);
  return file;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
try {
  await main();
} catch (error) {
  console.error(error instanceof BenchError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
// Where a connection was reset, as `cluster` does it, Node 26 does not come to its own end: it waits for a request that is over, at full speed.
process.exit();
