/**
 * An API server for the node's namespace that knows the cluster DNS's Services and EndpointSlices: those that the test sends over the channel, each time all of them. What
 * follows them is told of all; whatever else is followed waits. Asked `where`, it says where it listens.
 */
import { type ScriptedAnswer, ScriptedApi } from '../../servers/scripted-api.ts';
import type { ApiState } from './cluster-api.ts';

let state: ApiState = { services: {}, endpoints: {} };
let version = 1;
const followers = new Set<ScriptedAnswer>();

const api = await ScriptedApi.open(({ path, kind }, answer) => {
  if (kind === 'get') {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const clusterIPs = state.services[name];
    if (clusterIPs === undefined) answer.refuse(404);
    else answer.object({ metadata: { name }, spec: { clusterIPs, ports: [{ name: 'dns', port: 53 }] } });
  } else if (kind === 'first watch' && path.endsWith('/endpointslices')) {
    followers.add(answer.initial(String(version), slices()));
  }
});

process.on('message', (message: ApiState | 'where') => {
  if (message === 'where') return void process.send!(api.url.href);
  state = message;
  version++;
  for (const follower of followers) for (const slice of slices()) follower.event('MODIFIED', slice);
  process.send!('done');
});
function slices() {
  return Object.entries(state.endpoints).flatMap(([service, hosts]) =>
    [4, 6].map((family) => ({
      metadata: {
        name: `${service}-${family}`,
        namespace: 'kube-system',
        resourceVersion: String(version),
        labels: { 'kubernetes.io/service-name': service },
      },
      addressType: `IPv${family}`,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
      endpoints: hosts.filter((host) => host.includes(':') === (family === 6)).map((host) => ({ addresses: [host] })),
    })),
  );
}
