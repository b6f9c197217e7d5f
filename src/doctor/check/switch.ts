import type { SocketAddress } from '../../config/config.ts';
import { formatSocketAddress } from '../../config/socket-address.ts';
import { type Diagnosis, error, ok, warning } from '../diagnosis.ts';
import type { Patient } from '../patient.ts';
import { readArmed } from '../traces.ts';
import type { Check } from './check.ts';

/** Elements live for three seconds: one that is there after so long was renewed, or never ends. */
const OUTLIVED_MS = 4000;

/** The dead-man's switch: while it is on, queries go to the agent; without its renewals they go to the cluster DNS. */
export const switchCheck: Check = {
  name: 'switch',
  async look(patient: Patient) {
    const { mode, wanted, traces, report } = await patient.network();
    if ((mode !== 'nftables' && mode !== 'iptables') || wanted === undefined) return [];
    const armed = await readArmed(traces);
    if (patient.agents.length === 0) return withoutAgent(armed, () => readArmed(traces));
    const missing = wanted.rules.listen.filter((address) => !includes(armed, address));
    if (missing.length === 0) {
      const age = report?.renewedSecondsAgo;
      const renewed = report === undefined || age === undefined ? '' : `; renewed last ${age.toFixed(1)} s ago`;
      return [ok('switch-armed', `queries go to the agent${renewed}`), ...notServing(report?.notServing ?? 0)];
    }
    const places = missing.map(formatSocketAddress).join(', ');
    const state = report === undefined ? '' : ` (the agent calls itself ${report.state})`;
    const remedy =
      'the agent renews it every second once it has something to answer with and answers itself: see agent, and rules';
    return [error('switch-off', `it is off for ${places}${state}: queries go to the cluster DNS`, remedy)];
  },
};

/** Nobody renews it, so it must run out. */
async function withoutAgent(
  armed: readonly SocketAddress[],
  again: () => Promise<SocketAddress[]>,
): Promise<Diagnosis[]> {
  if (armed.length > 0) {
    await new Promise((resolve) => setTimeout(resolve, OUTLIVED_MS));
    const still = (await again()).filter((address) => includes(armed, address));
    if (still.length > 0) {
      const message = `it stays on for ${still.map(formatSocketAddress).join(', ')}, and no agent is to be seen here: queries go nowhere`;
      return [error('switch-stuck', message, 'where really no agent runs: signpost teardown')];
    }
  }
  return [warning('switch-off', 'it is off, for no agent runs: queries go to the cluster DNS', 'see agent')];
}

function notServing(seconds: number): Diagnosis[] {
  if (seconds === 0) return [];
  const message = `in ${seconds} seconds since it began the agent could not show that it answers, and did not renew`;
  return [
    warning(
      'switch-doubted',
      message,
      'something held its thread: see resources, and signpost_event_loop_delay on /metrics',
    ),
  ];
}

/** xt_recent has no ports. */
function includes(armed: readonly SocketAddress[], { host, port }: SocketAddress): boolean {
  return armed.some((element) => element.host === host && (element.port === port || element.port === 0));
}
