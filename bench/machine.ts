import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { BenchError } from './bench-error.ts';

/** The facts of a machine that figures depend on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  /** What the kernel does against Spectre v2, which makes system calls dearer; 'unknown' where it does not say. */
  readonly spectreV2: string;
  readonly governor: string;
}

export interface Cores {
  readonly server: number;
  readonly generator: number;
  /** A core of its own where there is a third one, else the generator's. */
  readonly upstream: number;
}

export function readMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    spectreV2: readLine('/sys/devices/system/cpu/vulnerabilities/spectre_v2'),
    governor: readLine('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
  };
}

/** Throws where there is only one core: server and generator would share it, and the figure would be of both. */
export function chooseCores(available = availableParallelism()): Cores {
  if (available < 2) throw new BenchError('Cannot measure on one core: the server and the generator need one each');
  return { server: 0, generator: 1, upstream: available > 2 ? 2 : 1 };
}

export function describeMachine(machine: Machine): string {
  const { cpu, cores, kernel, node, spectreV2, governor } = machine;
  return `${cpu}, ${cores} cores, Linux ${kernel}, Node ${node}, Spectre v2: ${spectreV2}, governor: ${governor}`;
}

function readLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
