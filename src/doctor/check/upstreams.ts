import { type Diagnosis, error, note, ok, warning } from '../diagnosis.ts';
import { type Patient, statusOf, type UpstreamProbe } from '../patient.ts';
import type { Check } from './check.ts';

/** Every upstream, asked once by this command, and how the agent finds them. */
export const upstreamsCheck: Check = {
  name: 'upstreams',
  async look(patient) {
    if (patient.config === undefined) return [note('upstreams-unknown', 'not known which they are: see configuration')];
    const probes = await patient.probeUpstreams(patient.config);
    return [...probes.map((probe) => judge(probe, probes)), ...seenByAgent(patient)];
  },
};

/** One that is silent is an error only where a zone has no other. */
function judge({ address, zones, rcode, elapsedMs, failure }: UpstreamProbe, all: readonly UpstreamProbe[]): Diagnosis {
  if (failure === undefined) return ok('upstream-answers', `${address} answers (${rcode}, ${elapsedMs} ms)`);
  const alone = zones.filter((zone) => !all.some((other) => other.failure === undefined && other.zones.includes(zone)));
  const message = `${address} does not answer: ${failure}`;
  const remedy = 'is that server up, and does a firewall or NetworkPolicy let this node reach it over that transport?';
  return alone.length === 0
    ? warning('upstream-silent', `${message}; another one answers for ${zones.join(', ')}`, remedy)
    : error('upstream-silent', `${message}; nobody else answers for ${alone.join(', ')}`, remedy);
}

function seenByAgent(patient: Patient): Diagnosis[] {
  const seen = new Map<string, Diagnosis>();
  for (const { upstreams } of statusOf(patient)?.zones ?? []) {
    for (const { address, state, lastError } of upstreams) {
      const last = lastError === null ? '' : `; last: ${lastError.reason}, ${lastError.time}`;
      if (state === 'looped') {
        const remedy = `name another server: ${address} asks the agent for what the agent asks it`;
        seen.set(`${address} looped`, error('upstream-looped', `${address} leads back to the agent`, remedy));
      } else if (state === 'down') {
        seen.set(`${address} down`, warning('upstream-down', `the agent finds ${address} down${last}`));
      } else if (state === 'slow') {
        seen.set(`${address} slow`, note('upstream-slow', `the agent asks ${address} last: the others answer sooner`));
      }
    }
  }
  return [...seen.values()];
}
