import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Status } from '../admin/status.ts';
import type { Config, SocketAddress } from '../config/config.ts';
import { ConfigErrors } from '../config/config-errors.ts';
import { DEFAULTS, type Flags, type Surroundings } from '../config/flags.ts';
import { configFromFlags, type LoadedConfig } from '../config/from-flags.ts';
import { loadSettingsReaders } from '../config/settings-readers.ts';
import { formatSocketAddress, parseSocketAddress } from '../config/socket-address.ts';
import { formatUpstreamAddress } from '../config/upstream-address.ts';
import { type AgentProcess, findAgents } from '../doctor/agent-processes.ts';
import { HostFiles } from '../doctor/host-files.ts';
import { type NetworkReading, readNetwork } from '../doctor/network-reading.ts';
import type { AskOptions, Patient, Reply, UpstreamProbe } from '../doctor/patient.ts';
import { RCODE_MASK } from '../wire/constants.ts';
import { nameFromText } from '../wire/name.ts';
import { rcodeToText, typeFromText } from '../wire/type-names.ts';
import { withClusterDns } from './cluster-dns-lookup.ts';
import { addConfigOptions } from './config-options.ts';
import { exchange } from './dns-exchange.ts';
import { queryMessage } from './query-message.ts';
import { processSurroundings } from './surroundings.ts';
import { probeUpstreams } from './upstream-probe.ts';

const STATUS_MS = 3000;
const ASK_MS = 2000;
/** Whom the API does not tell soon, it does not tell: that is a finding too. */
const API_MS = 3000;

/** Where `kubectl debug node/NODE` mounts the node's root. */
const DEBUG_HOST = '/host';

/**
 * The node that this command runs on. What the agent is to do is known from `flags` where there are any, else from the command line of the one that runs here. Throws `ConfigErrors`
 * for flags that are wrong.
 */
export async function admit(flags: Flags, host?: string): Promise<Patient> {
  const agents = await findAgents();
  const { config, origin } = await learnConfig(flags, agents);
  const agent = agents[0];
  const nodeNetwork = config?.nodeNetwork ?? { mode: 'auto', interface: DEFAULTS.interface, hasNoTrack: true };
  const status = await askStatus(config === undefined ? parseSocketAddress(DEFAULTS.admin, undefined) : config.admin);
  const report = 'failure' in status ? undefined : (status.network ?? undefined);
  let network: Promise<NetworkReading> | undefined;
  return {
    config,
    origin,
    listen: config?.listen ?? [parseSocketAddress(DEFAULTS.listen, undefined)],
    nodeNetwork,
    agents,
    status,
    network: () => (network ??= readNetwork({ config, nodeNetwork, agents, report })),
    files: new HostFiles(host ?? (existsSync(join(DEBUG_HOST, 'proc')) ? DEBUG_HOST : '/')),
    agentFiles: new HostFiles(agent === undefined ? '/' : `/proc/${agent.pid}/root`),
    ask,
    probeUpstreams: probe,
  };
}

interface Learnt {
  readonly config: Config | undefined;
  readonly origin: string;
}

async function learnConfig(flags: Flags, [agent]: readonly AgentProcess[]): Promise<Learnt> {
  if (Object.keys(flags).length > 0) {
    const { config } = await load(flags, processSurroundings());
    return { config, origin: 'the flags of this command' };
  }
  try {
    const typed = agent === undefined ? {} : flagsOf(agent);
    const around = agent === undefined ? processSurroundings() : surroundingsOf(agent);
    const { config } = await load(typed, around);
    const origin =
      agent === undefined ? 'the environment and the defaults' : `the command line of process ${agent.pid}`;
    return { config, origin };
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    return { config: undefined, origin: 'the defaults' };
  }
}

async function load(flags: Flags, around: Surroundings): Promise<LoadedConfig> {
  const readers = await loadSettingsReaders(flags);
  return withClusterDns(around, (surroundings) => configFromFlags(flags, surroundings, readers), API_MS);
}

/** The flags that an agent was started with; what is unknown here is of another version, and left out. */
function flagsOf({ args }: AgentProcess): Flags {
  const command = addConfigOptions(new Command()).allowUnknownOption().allowExcessArguments().exitOverride();
  command.configureOutput({ writeErr: () => {} }).parse(args, { from: 'user' });
  return command.opts<Flags>();
}

/** The environment and the files of another process. */
function surroundingsOf({ pid, env }: AgentProcess): Surroundings {
  const around = processSurroundings();
  const inside = (path: string): string => join(`/proc/${pid}/root`, path);
  return {
    env,
    isTerminal: false,
    readFile: (path) => around.readFile(inside(path)),
    listFolder: (path) => around.listFolder!(inside(path)),
  };
}

async function askStatus(admin: SocketAddress | undefined): Promise<Status | { failure: string }> {
  if (admin === undefined) return { failure: '--admin is off' };
  try {
    const url = `http://${formatSocketAddress(admin)}/api/v1/status`;
    const response = await fetch(url, { signal: AbortSignal.timeout(STATUS_MS) });
    const status = (await response.json()) as Partial<Status>;
    if (status.zones === undefined)
      return { failure: `something else than an agent answers (HTTP ${response.status})` };
    return status as Status;
  } catch (error) {
    const { message, cause } = error as Error;
    return { failure: cause instanceof Error ? cause.message : message };
  }
}

async function ask(server: SocketAddress, name: string, type: string, options: AskOptions = {}): Promise<Reply> {
  const { isTcp = false, timeoutMs = ASK_MS } = options;
  const query = queryMessage(nameFromText(name)!, typeFromText(type), {
    id: randomInt(65_536),
    dnssecOk: false,
    askedOptions: [],
  });
  const { bytes, elapsedMs } = await exchange(query, server, { isTcp, timeoutMs });
  return { rcode: rcodeToText(bytes[3]! & RCODE_MASK), elapsedMs };
}

async function probe(config: Config): Promise<UpstreamProbe[]> {
  const probes = await probeUpstreams(config);
  return probes.map((each) => ({ ...each, address: formatUpstreamAddress(each.address) }));
}
