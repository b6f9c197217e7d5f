import { type Diagnosis, error, note, ok, warning } from '../diagnosis.ts';
import type { Patient } from '../patient.ts';
import type { Check } from './check.ts';

/** The link and the listen addresses on it. */
export const interfaceCheck: Check = {
  name: 'interface',
  async look(patient: Patient) {
    const { mode, traces, wanted } = await patient.network();
    const { links } = traces;
    const hosts = [...new Set(patient.listen.map(({ host }) => host))].filter((host) => !/^(?:127\.|::1$)/.test(host));
    const isManaged = mode !== 'off';
    const findings: Diagnosis[] = [];
    for (const host of hosts) {
      const held = links.filter(({ addresses }) => addresses.includes(host));
      findings.push(
        ...judge(
          host,
          held.map(({ name, isUp }) => (isUp ? name : `${name} (down)`)),
          held.some(({ isUp }) => isUp),
          isManaged,
        ),
      );
    }
    const own = links.find(({ name }) => name === wanted?.link);
    if (own !== undefined && !own.isUp) {
      const remedy = isManaged ? undefined : `ip link set ${own.name} up`;
      findings.push(error('link-down', `${own.name} is down`, remedy));
    }
    return findings;
  },
};

function judge(host: string, held: readonly string[], isUp: boolean, isManaged: boolean): Diagnosis[] {
  if (held.length === 0) {
    const remedy = isManaged
      ? 'the agent puts it there within seconds while it runs with NET_ADMIN: see agent'
      : `add it (ip address add ${host}/${host.includes(':') ? 128 : 32} dev lo), or let the agent do so: --node-network auto`;
    return [error('address-missing', `${host} is on no link of this node`, remedy)];
  }
  if (held.length > 1) {
    const remedy = 'take it from the one that is not ours; nodelocaldns: signpost teardown --nodelocal';
    return [warning('address-twice', `${host} is on ${held.join(' and ')}`, remedy)];
  }
  return isUp ? [ok('address', `${host} is on ${held[0]}`)] : [note('address-down', `${host} is on ${held[0]}`)];
}
