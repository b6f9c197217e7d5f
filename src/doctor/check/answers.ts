import type { SocketAddress } from '../../config/config.ts';
import { formatSocketAddress } from '../../config/socket-address.ts';
import { findPortHolder, type Protocol } from '../../listen/port-holder.ts';
import { askVersion } from '../../listen/server-version.ts';
import { type Diagnosis, error, note, ok, warning } from '../diagnosis.ts';
import type { Patient, Reply } from '../patient.ts';
import type { Check } from './check.ts';

/** A Service that every cluster has. */
const KNOWN_SERVICE = 'kubernetes.default.svc';

/** Busy is not silent: as long as a client's first try has. */
const ANSWER_MS = 3000;

/** An answer from memory takes below a millisecond; what a person would call slow. */
const SLOW_MS = 100;

/** Who answers on each listen address, over UDP and TCP, as a program of the node sees it. */
export const answersCheck: Check = {
  name: 'answers',
  async look(patient) {
    const each = await Promise.all(patient.listen.map((address) => lookAt(address, patient)));
    return each.flat();
  },
};

async function lookAt(address: SocketAddress, patient: Patient): Promise<Diagnosis[]> {
  const [udp, tcp] = await Promise.all([whoAnswers(address, 'UDP', patient), whoAnswers(address, 'TCP', patient)]);
  const isSame = udp.code === tcp.code;
  const who = isSame ? [{ ...udp, message: udp.message.replace('over UDP', 'over UDP and TCP') }] : [udp, tcp];
  return [...who, ...(await clusterName(address, patient))];
}

async function whoAnswers(address: SocketAddress, protocol: Protocol, { agents }: Patient): Promise<Diagnosis> {
  const place = formatSocketAddress(address);
  const version = await askVersion(address, protocol, ANSWER_MS);
  if (version !== undefined && /^signpost /.test(version)) {
    return ok('answers-agent', `${place} is answered by the agent over ${protocol}`);
  }
  const holder = await findPortHolder(address, protocol);
  if (version === undefined) {
    return error(
      'answers-nobody',
      `${place}: nobody answers over ${protocol}${holder === undefined ? '' : `, though ${holder} has the port open`}`,
      'see the findings of agent, interface and rules; pods that point there have no DNS until one of them is mended',
    );
  }
  const who = version === '' ? 'a DNS server that does not say what it is' : version;
  const isAgents = agents.some(({ pid }) => holder?.endsWith(`(process ${pid})`));
  if (holder !== undefined && !isAgents) {
    return error(
      'answers-foreign',
      `${place} is answered by ${who} over ${protocol}: ${holder} has the port`,
      'stop that one, or give the agent another --listen',
    );
  }
  if (agents.length === 0) {
    return warning(
      'answers-failover',
      `${place} is answered by ${who} over ${protocol}: the cluster DNS stands in, for no agent runs`,
    );
  }
  return error(
    'answers-failover',
    `${place} is answered by ${who} over ${protocol}: queries are led past the agent`,
    'see the findings of agent, rules and switch',
  );
}

/** A name that the cluster DNS knows, asked as a pod would. */
async function clusterName(address: SocketAddress, patient: Patient): Promise<Diagnosis[]> {
  if (patient.config === undefined) return [];
  const name = `${KNOWN_SERVICE}.${patient.config.clusterDomain}`;
  const place = formatSocketAddress(address);
  try {
    const { rcode, elapsedMs } = await quickest(() => patient.ask(address, name, 'A'));
    const took = `${elapsedMs.toFixed(1)} ms`;
    if (rcode === 'NOERROR') {
      return elapsedMs < SLOW_MS
        ? [ok('cluster-name', `${place} answers ${name} in ${took}`)]
        : [note('cluster-name-slow', `${place} took ${took} for ${name}; from memory it is below 1 ms: ask again`)];
    }
    const remedy =
      rcode === 'NXDOMAIN'
        ? `the cluster DNS does not know it: is ${patient.config.clusterDomain} the zone of this cluster (--cluster-domain)?`
        : 'see the findings of upstreams';
    return [error('cluster-name-failed', `${place} answers ${rcode} to ${name}`, remedy)];
  } catch (cause) {
    return [error('cluster-name-failed', `${place}: no answer to ${name}: ${(cause as Error).message}`)];
  }
}

/** Of a few: the first one may have had to be asked of the cluster DNS, and this command itself is busy. */
async function quickest(ask: () => Promise<Reply>): Promise<Reply> {
  const replies = [await ask(), await ask(), await ask()];
  return replies.reduce((best, reply) => (reply.elapsedMs < best.elapsedMs ? reply : best));
}
