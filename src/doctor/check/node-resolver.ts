import type { SocketAddress } from '../../config/config.ts';
import { parseResolvConf } from '../../config/resolv-conf.ts';
import { type Diagnosis, error, note, ok, warning } from '../diagnosis.ts';
import type { Patient } from '../patient.ts';
import type { Check } from './check.ts';

/** The node's own resolv.conf, and the one that the agent takes its upstreams from. */
export const nodeResolverCheck: Check = {
  name: 'resolv.conf',
  async look(patient) {
    const { config, files, listen } = patient;
    const findings = [...own(await files.read('/etc/resolv.conf'), listen)];
    if (config?.resolvConf !== undefined) findings.push(...(await upstreamsFile(config.resolvConf, patient)));
    return findings;
  },
};

/** The node's programs may well ask the agent; that it is the only one they ask is what a start without network trips over. */
function own(text: string | undefined, listen: readonly SocketAddress[]): Diagnosis[] {
  if (text === undefined)
    return [note('node-resolv-conf-unseen', "the node's /etc/resolv.conf cannot be seen from here")];
  const { servers } = parseResolvConf(text);
  const hosts = servers.map(({ host }) => host);
  if (hosts.length === 0) {
    return [warning('node-resolv-conf-empty', "the node's /etc/resolv.conf names no server", 'see who writes it')];
  }
  const isOwn = hosts.filter((host) => listen.some((address) => address.host === host));
  if (isOwn.length === hosts.length) {
    return [
      warning(
        'node-asks-agent-alone',
        `the node itself asks the agent alone (${hosts.join(', ')}): pulling the agent's image then needs the agent`,
        "give the node's resolv.conf a server outside the cluster",
      ),
    ];
  }
  return [ok('node-resolv-conf', `the node itself asks ${hosts.join(', ')}`)];
}

async function upstreamsFile(path: string, { agentFiles, listen }: Patient): Promise<Diagnosis[]> {
  const text = await agentFiles.read(path);
  if (text === undefined) {
    const remedy = "mount the folder of the node's own file, or name servers with --upstream";
    return [error('resolv-conf-missing', `${path} (--resolv-conf) cannot be read`, remedy)];
  }
  const { servers, notes } = parseResolvConf(text);
  if (servers.every(({ host }) => listen.some((address) => address.host === host))) {
    const remedy = 'name another file with --resolv-conf, or servers with --upstream';
    return [error('resolv-conf-loop', `${path} (--resolv-conf) names nobody but the agent itself`, remedy)];
  }
  return notes.map((passedOver) => note('resolv-conf-note', `${path}: ${passedOver}`));
}
