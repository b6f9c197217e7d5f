import type { NetworkReason, NetworkReport } from './network-report.ts';
import type { Finding } from './rule-kind.ts';
import { familyOf } from './wanted-from-config.ts';
import type { WantedRules } from './wanted-state.ts';

/** Longer without a renewal, and the kernel has switched off. */
const ARMED_SECONDS = 3;

/** What `/ready` says of the node's network: what keeps pods' queries away from here, and what would let them down should the agent end. */
export function networkReasons(report: NetworkReport, rules: WantedRules): readonly NetworkReason[] {
  if (report.mode === 'off') return [];
  const hasRules = report.mode !== 'interface';
  return [
    addresses(report),
    ...(hasRules ? [rulesReason(report), armed(report)] : []),
    ...firewall(report),
    ...(hasRules ? withoutFailover(rules) : []),
  ];
}

/** A warning alone: what was read may be mistaken, and the rules of a host that drop some do not drop all. */
function firewall({ drops }: NetworkReport): NetworkReason[] {
  return drops.map(({ message, remedy }) => ({
    name: 'firewall',
    ok: true,
    warning: true,
    message: remedy === undefined ? message : `${message}; remedy: ${remedy}`,
  }));
}

function withoutFailover({ failovers }: WantedRules): NetworkReason[] {
  const without = failovers.filter(({ service, targets }) => service === undefined && targets.length === 0);
  if (without.length === 0) return [];
  const families = [...new Set(without.map(({ listen }) => `IPv${familyOf(listen.host)}`))].join(' and ');
  const hosts = without.map(({ listen }) => listen.host).join(', ');
  const message = `without the agent only kube-proxy could lead queries for ${hosts}: no cluster DNS address of ${families} is known (--cluster-dns)`;
  return [{ name: 'fail-over', ok: true, warning: true, message }];
}

function addresses({ state, findings, addresses: wanted, link, errors }: NetworkReport): NetworkReason {
  const amiss = findings.filter(({ code }) => isOfLink(code));
  if (amiss.length > 0) return { name: 'addresses', ok: false, message: textOf(amiss) };
  if (state === 'idle')
    return { name: 'addresses', ok: false, message: `${wanted.join(', ')} not added to ${link} yet` };
  const trouble = errors['link'] === undefined ? '' : `, after ${errors['link']} errors`;
  return { name: 'addresses', ok: true, message: `${wanted.join(', ')} on ${link}${trouble}` };
}

function rulesReason({ state, mode, findings }: NetworkReport): NetworkReason {
  const amiss = findings.filter(({ code }) => !isOfLink(code));
  if (amiss.length > 0) return { name: 'rules', ok: false, message: textOf(amiss) };
  const isThere = state === 'armed' || state === 'paused';
  return { name: 'rules', ok: isThere, message: isThere ? `in place (${mode})` : 'queries are not redirected' };
}

function armed({ state, renewedSecondsAgo, notServing }: NetworkReport): NetworkReason {
  const name = 'switch';
  if (state === 'paused') return { name, ok: true, message: 'renewed by the successor' };
  if (state !== 'armed' || renewedSecondsAgo === undefined) {
    return { name, ok: false, message: 'not armed: queries go to the cluster DNS' };
  }
  const ago = `renewed ${renewedSecondsAgo.toFixed(1)} s ago`;
  if (renewedSecondsAgo <= ARMED_SECONDS) return { name, ok: true, message: ago };
  const why = notServing > 0 ? ', for the agent does not answer itself' : '';
  return { name, ok: false, message: `${ago}${why}: queries go to the cluster DNS` };
}

function isOfLink(code: string): boolean {
  return code.startsWith('link-') || code.startsWith('address-');
}

function textOf(findings: readonly Finding[]): string {
  const [first, ...others] = findings;
  return others.length === 0 ? first!.message : `${first!.message}, and ${others.length} more`;
}
