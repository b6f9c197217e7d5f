import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';
import type { Diagnosis } from '../../../src/doctor/diagnosis.ts';
import { HostFiles } from '../../../src/doctor/host-files.ts';
import type { NetworkReading } from '../../../src/doctor/network-reading.ts';
import type { Patient } from '../../../src/doctor/patient.ts';

const EXAMPLE_NETWORK: NetworkReading = {
  mode: 'off',
  reason: 'asked for by --node-network',
  wanted: undefined,
  traces: { table: undefined, chains: [], addresses: [], switches: [], links: [], unseen: [] },
  report: undefined,
};

/** A sound node with one agent, whose files are in a folder of the test; `differences` make it ill. */
export function examplePatient(differences: Partial<Patient> = {}): Patient {
  const config = exampleConfig();
  return {
    config,
    origin: 'the flags of this command',
    listen: config.listen,
    nodeNetwork: config.nodeNetwork,
    agents: [{ pid: 1, args: [], env: {}, state: 'S', started: 1 }],
    status: { failure: 'nothing listens there' },
    files: new HostFiles('/nowhere'),
    agentFiles: new HostFiles('/nowhere'),
    network: async () => EXAMPLE_NETWORK,
    ask: async () => ({ rcode: 'NOERROR', elapsedMs: 0.3 }),
    probeUpstreams: async () => [],
    ...differences,
  };
}

export function exampleConfig(flags: Parameters<typeof configFromFlags>[0] = {}): Config {
  const surroundings = { env: {}, isTerminal: false, readFile: () => 'nameserver 192.0.2.1\n' };
  return configFromFlags({ clusterDns: ['10.96.0.10'], ...flags }, surroundings).config;
}

/** Files by path in a folder that goes with the test. */
export async function exampleFiles(t: TestContext, texts: Readonly<Record<string, string>>): Promise<HostFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-doctor-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return new HostFiles(folder);
}

/** `warning pods-mixed` */
export function codesOf(findings: readonly Diagnosis[]): string[] {
  return findings.map(({ level, code }) => `${level} ${code}`);
}
