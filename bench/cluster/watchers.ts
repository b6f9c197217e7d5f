import { Agent, request } from 'node:https';
import type { ControlPlane } from '../../test/cluster/control-plane.ts';

const METADATA = 'as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** Ways to ask for the same objects; the first is ours, the last kube-proxy's. */
export const ENCODINGS: Readonly<Record<string, string>> = {
  'metadata, JSON': `application/json;${METADATA}`,
  'metadata, Protobuf': `${PROTOBUF};${METADATA}`,
  'whole, JSON': 'application/json',
  'whole, Protobuf': PROTOBUF,
};

export interface Watchers {
  /** That they got so far, all together. */
  bytes: number;
  close(): void;
}

/** Watches of all EndpointSlices, from now on, each on a connection of its own as each node has one. */
export async function openWatchers(
  { apiUrl, adminToken, api }: ControlPlane,
  accept: string,
  count: number,
): Promise<Watchers> {
  const path = '/apis/discovery.k8s.io/v1/endpointslices';
  const { resourceVersion } = (await api.get(path)).metadata as unknown as { resourceVersion: string };
  const agent = new Agent({ keepAlive: true, maxSockets: count, rejectUnauthorized: false });
  const watchers: Watchers = { bytes: 0, close: () => agent.destroy() };
  const headers = { accept, authorization: `Bearer ${adminToken}` };
  const url = `${apiUrl}${path}?watch=1&resourceVersion=${resourceVersion}&labelSelector=kubernetes.io/service-name`;
  const open = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const call = request(url, { agent, headers }, (response) => {
        if (response.statusCode !== 200) return reject(new Error(`Cannot watch: ${response.statusCode}`));
        response.on('data', (piece: Uint8Array) => {
          watchers.bytes += piece.length;
        });
        // Ended by us.
        response.on('error', () => {});
        resolve();
      });
      call.on('error', reject).end();
    });
  await Promise.all(Array.from({ length: count }, open));
  return watchers;
}
