import type { Command } from 'commander';
import { Complaints } from '../config/complaints.ts';
import { DEFAULTS } from '../config/flags.ts';
import { listenAddresses } from '../config/listen-addresses.ts';
import { SignpostError } from '../core/errors.ts';
import type { TeardownPlan } from '../doctor/teardown.ts';
import { collect } from './config-options.ts';
import { EXIT_FAILED } from './exit-code.ts';

interface TeardownFlags {
  readonly interface: string;
  readonly listen?: readonly string[];
  readonly dryRun?: boolean;
  readonly nodelocal?: boolean;
  readonly json?: boolean;
}

/** What became of one thing. */
interface Outcome {
  readonly what: string;
  readonly outcome: 'removed' | 'would be removed' | 'failed';
  readonly reason?: string;
}

/** `signpost teardown`. */
export function defineTeardown(command: Command): void {
  command
    .summary("remove what serve put into the node's network")
    .description(
      "Removes what serve put into the node's network, in whatever mode and from whatever start: rules, switch, link, addresses. Nothing else is touched.\n" +
        'An agent leaves them in place when it ends, so that the cluster DNS answers on its addresses meanwhile: from here on nobody does.',
    )
    .option('--interface <NAME>', 'the link that serve was given', DEFAULTS.interface)
    .option(
      '--listen <IP[:PORT]>',
      `an address that serve was given, where no rules name it; may be repeated (default ${DEFAULTS.listen})`,
      collect,
    )
    .option('--nodelocal', 'remove what NodeLocal DNSCache has left on the node instead: link and rules; ours stays')
    .option('--dry-run', 'only say what would be removed')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action((flags: TeardownFlags) => teardown(flags));
}

const EXAMPLES = `
Examples:
  signpost teardown --dry-run
  signpost teardown
  signpost teardown --nodelocal`;

async function teardown(flags: TeardownFlags): Promise<void> {
  const isDryRun = flags.dryRun === true;
  const plan = flags.nodelocal === true ? await planNodeLocal(isDryRun) : await planOurs(flags, isDryRun);
  const outcomes: Outcome[] = [];
  for (const { what, take } of plan.steps) outcomes.push(await carryOut(what, take, isDryRun));
  const isDone = outcomes.every(({ outcome }) => outcome !== 'failed') && plan.unseen.length === 0;
  if (flags.json === true) {
    const report = { done: isDone, dryRun: isDryRun, steps: outcomes, unseen: plan.unseen, addresses: plan.addresses };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else {
    process.stdout.write(teardownText(outcomes, plan.unseen, plan.addresses, isDryRun));
  }
  process.exitCode = isDone ? 0 : EXIT_FAILED;
}

async function planOurs(flags: TeardownFlags, isDryRun: boolean): Promise<TeardownPlan> {
  const addresses = hostsOf(flags.listen ?? []);
  const likely = flags.listen === undefined ? hostsOf([DEFAULTS.listen]) : [];
  const [{ findAgents }, { planTeardown }] = await Promise.all([
    import('../doctor/agent-processes.ts'),
    import('../doctor/teardown.ts'),
  ]);
  const [agent] = await findAgents();
  if (agent !== undefined && !isDryRun) {
    throw new SignpostError(
      'ERR_AGENT_RUNS',
      `Cannot take down the node's network: process ${agent.pid} is an agent, and would put it all back. Delete the DaemonSet, or take its label from this node; ` +
        '--dry-run shows what would be removed',
    );
  }
  return planTeardown({ link: flags.interface, addresses, likely, hasAgent: agent !== undefined });
}

async function planNodeLocal(isDryRun: boolean): Promise<TeardownPlan> {
  const [{ findAgents }, { findNodeLocalService }, { planNodeLocalTeardown }] = await Promise.all([
    import('../doctor/agent-processes.ts'),
    import('../doctor/nodelocal-service.ts'),
    import('../doctor/teardown.ts'),
  ]);
  const service = await findNodeLocalService(await findAgents());
  if (service === undefined) return { steps: [], addresses: [], unseen: [] };
  if (service.holder !== undefined && !isDryRun) {
    throw new SignpostError(
      'ERR_NODELOCAL_RUNS',
      `Cannot remove what NodeLocal DNSCache has here (--nodelocal): ${service.holder} has its address open, and would put it all back. End it first: ` +
        'kubectl --namespace kube-system delete daemonset node-local-dns',
    );
  }
  return planNodeLocalTeardown(service);
}

function teardownText(
  outcomes: readonly Outcome[],
  unseen: readonly string[],
  addresses: readonly string[],
  isDryRun: boolean,
): string {
  const lines = outcomes.map(
    ({ what, outcome, reason }) => `${outcome}: ${what}${reason === undefined ? '' : ` (${reason})`}`,
  );
  if (outcomes.length === 0) lines.push('nothing to remove is in this network');
  lines.push(...unseen.map((why) => `not looked at: ${why}`));
  if (addresses.length > 0) {
    const time = isDryRun ? 'would have' : 'have';
    lines.push(
      `Pods that ask ${addresses.join(' or ')} ${time} no DNS from then on: give kubelet back its clusterDNS, and restart them.`,
    );
  }
  return `${lines.join('\n')}\n`;
}

async function carryOut(what: string, take: () => Promise<string | undefined>, isDryRun: boolean): Promise<Outcome> {
  if (isDryRun) return { what, outcome: 'would be removed' };
  try {
    const left = await take();
    return { what, outcome: 'removed', ...(left !== undefined && { reason: left }) };
  } catch (error) {
    return { what, outcome: 'failed', reason: (error as Error).message };
  }
}

function hostsOf(texts: readonly string[]): string[] {
  const complaints = new Complaints();
  const said = texts.map((text) => ({ text, origin: { name: '--listen' } }));
  const addresses = listenAddresses(said, complaints);
  complaints.throwIfAny();
  return addresses.map(({ host }) => host);
}
