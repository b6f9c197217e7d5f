import type { Register } from '../metrics/register.ts';
import type { NetworkReport } from './network-report.ts';

/** What the agent does to the node's network, and how the switch stands. Nothing in mode `off`. */
export function registerNodeNetworkMetrics(register: Register, report: () => NetworkReport): void {
  if (report().mode === 'off') return;
  registerSwitch(register, report);
  register.gauge(
    'signpost_node_network_info',
    "How the node's network is set up; always 1. The state is prepared, armed, paused (a successor minds it) or withdrawn.",
    ['mode', 'link', 'state'],
    (emit) => {
      const { mode, link, state } = report();
      emit({ mode, link, state }, 1);
    },
  );
  register.counter('signpost_node_network_looks_total', "Looks at the node's network.", [], (emit) =>
    emit({}, report().looks),
  );
  register.counter(
    'signpost_node_network_repairs_total',
    'What somebody had changed and was mended, by what was found.',
    ['code'],
    (emit) => {
      for (const [code, count] of Object.entries(report().repairs)) emit({ code }, count);
    },
  );
  register.counter(
    'signpost_node_network_errors_total',
    "Steps of setting up the node's network that failed and are tried again.",
    ['step'],
    (emit) => {
      for (const [step, count] of Object.entries(report().errors)) emit({ step }, count);
    },
  );
  register.gauge(
    'signpost_node_network_findings',
    'What is not as it should be now, and could not be mended.',
    [],
    (emit) => emit({}, report().findings.length),
  );
}

function registerSwitch(register: Register, report: () => NetworkReport): void {
  if (report().mode === 'interface') return;
  register.counter(
    'signpost_switch_renewals_total',
    "Renewals of the switch that leads the node's queries here, one a second.",
    [],
    (emit) => emit({}, report().renewals),
  );
  register.counter(
    'signpost_switch_not_serving_total',
    'Seconds in which the switch was not renewed, for the agent could not show that it answers.',
    [],
    (emit) => emit({}, report().notServing),
  );
  register.gauge(
    'signpost_switch_renewed_seconds',
    "Since the latest renewal; above 3 the node's queries go to the cluster DNS. Absent before the first.",
    [],
    (emit) => {
      const { renewedSecondsAgo } = report();
      if (renewedSecondsAgo !== undefined) emit({}, renewedSecondsAgo);
    },
  );
}
