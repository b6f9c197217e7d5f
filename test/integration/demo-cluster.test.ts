import assert from 'node:assert/strict';
import { isIPv4 } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { ClusterDns } from '../../src/demo/cluster-dns.ts';
import { type DemoCluster, readClusterFile } from '../../src/demo/cluster-file.ts';
import { DnsServer } from '../../src/demo/dns-server.ts';
import { OutsideDns } from '../../src/demo/outside-dns.ts';
import { TYPE_SOA } from '../../src/wire/constants.ts';
import { ask, type Server } from '../client/ask.ts';
import type { Section } from '../client/message.ts';
import type { KubernetesObject } from '../cluster/api.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { endpoint, namespace, port, service } from '../cluster/fixtures.ts';
import { skipWithout } from '../servers/programs.ts';

/** Names of every shape that facts about CoreDNS tell apart, those that exist and those beside them. */
const NAMES = [
  'cluster.local',
  'svc.cluster.local',
  'pod.cluster.local',
  'com.cluster.local',
  'www.example.com.cluster.local',
  'dns-version.cluster.local',
  'default.svc.cluster.local',
  'shop.svc.cluster.local',
  'nowhere.svc.cluster.local',
  'web.nowhere.svc.cluster.local',
  'kubernetes.default.svc.cluster.local',
  'web.default.svc.cluster.local',
  'WEB.Default.svc.Cluster.LOCAL',
  'nobody.default.svc.cluster.local',
  'a.nobody.default.svc.cluster.local',
  '_http._tcp.web.default.svc.cluster.local',
  'http.tcp.web.default.svc.cluster.local',
  '_http._udp.web.default.svc.cluster.local',
  '_gopher._tcp.web.default.svc.cluster.local',
  '_tcp.web.default.svc.cluster.local',
  'a.b.c.web.default.svc.cluster.local',
  '10-244-1-5.web.default.svc.cluster.local',
  '10-244-9-9.web.default.svc.cluster.local',
  'docs.default.svc.cluster.local',
  'a.docs.default.svc.cluster.local',
  'cart.shop.svc.cluster.local',
  'database.shop.svc.cluster.local',
  'database-0.database.shop.svc.cluster.local',
  'database-2.database.shop.svc.cluster.local',
  '10-244-1-20.database.shop.svc.cluster.local',
  '_postgres._tcp.database.shop.svc.cluster.local',
  'peers.shop.svc.cluster.local',
  '10-244-1-31.peers.shop.svc.cluster.local',
  '_gossip._udp.peers.shop.svc.cluster.local',
  'idle.shop.svc.cluster.local',
  'inside.shop.svc.cluster.local',
  '10-244-1-5.default.pod.cluster.local',
  '10-244-1-5.nowhere.pod.cluster.local',
  'nonsense.default.pod.cluster.local',
  'default.pod.cluster.local',
  'nowhere.pod.cluster.local',
  '80.12.96.10.in-addr.arpa',
  '5.1.244.10.in-addr.arpa',
  '20.1.244.10.in-addr.arpa',
  '20.3.244.10.in-addr.arpa',
  '31.2.244.10.in-addr.arpa',
  '99.99.99.10.in-addr.arpa',
  'www.example.com',
  'api.example.com',
  'nobody.example.com',
];
/** CoreDNS leaves the alias out where its target is in the cluster and has no such record; the demo gives it, as RFC 2308 has it. */
const DIFFERENT = 'inside.shop.svc.cluster.local AAAA';
const ASKED = ['A', 'AAAA', 'SRV', 'TXT', 'PTR', 'MX', 'CNAME', 'SOA', 'HTTPS'];

suite('the demo answers as CoreDNS does in a real cluster', { skip: skipWithout(...CLUSTER_PROGRAMS) }, () => {
  let controlPlane: ControlPlane;
  let outside: DnsServer;
  let demo: DnsServer;

  before(async () => {
    const cluster = onlyIPv4(readClusterFile());
    const world = new OutsideDns(cluster);
    outside = await DnsServer.open(world);
    demo = await DnsServer.open(new ClusterDns(cluster, world));
    controlPlane = await startControlPlane({
      objects: objectsOf(cluster),
      corefileLines: [`forward . 127.0.0.1:${outside.address.port}`],
    });
  });

  after(async () => {
    await controlPlane?.stop();
    await Promise.all([demo?.close(), outside?.close()]);
  });

  for (const type of ASKED) {
    test(`${type} of every shape of name`, async () => {
      const names = NAMES.filter((name) => `${name} ${type}` !== DIFFERENT);
      const actual = await Promise.all(names.map((name) => essence(demo.address, name, type)));
      const expected = await Promise.all(names.map((name) => essence(controlPlane.clusterDns, name, type)));
      assert.deepEqual(actual, expected);
    });
  }
});

/** What of an answer has to be the same: all but the order, and the figures in an SOA. */
async function essence(server: Server, name: string, type: string): Promise<object> {
  const reply = await ask(server, { name, type, overTcp: true });
  const records = (section: readonly Section[]) =>
    section.map((record) => `${record.owner} ${record.type} ${record.type === TYPE_SOA ? '' : record.data}`).sort();
  return {
    asked: `${name} ${type}`,
    rcode: reply.rcode,
    question: reply.question,
    answers: records(reply.answers),
    authorities: records(reply.authorities),
    additionals: records(reply.additionals),
  };
}

/** The API server of the tests has one family. With a Service that has no endpoint, and a name for one inside the cluster. */
function onlyIPv4(cluster: DemoCluster): DemoCluster {
  const namespaces = [...cluster.namespaces].map(
    ([name, services]) =>
      [
        name,
        new Map(
          [...services].map(([service, fields]) => [
            service,
            {
              ...fields,
              clusterIPs: fields.clusterIPs.filter((ip) => isIPv4(ip)),
              endpoints: fields.endpoints.filter(({ ip }) => isIPv4(ip)),
            },
          ]),
        ),
      ] as const,
  );
  const idle = { clusterIPs: [], externalName: undefined, ports: [], endpoints: [] };
  const inside = { ...idle, externalName: `web.default.svc.${cluster.domain}` };
  const all = new Map(namespaces);
  return { ...cluster, namespaces: all.set('shop', new Map(all.get('shop')).set('idle', idle).set('inside', inside)) };
}

function objectsOf({ namespaces }: DemoCluster): KubernetesObject[] {
  const own = ['default', 'kube-system'];
  return [...namespaces].flatMap(([inNamespace, services]) => [
    ...(own.includes(inNamespace) ? [] : [namespace(inNamespace)]),
    ...[...services]
      // The API server makes this one itself.
      .filter(([name]) => name !== 'kubernetes')
      .flatMap(([name, { clusterIPs, externalName, ports, endpoints }]) =>
        externalName === undefined
          ? service(
              inNamespace,
              name,
              { clusterIP: clusterIPs[0] ?? 'None', ports: ports.map((own) => port(own.name, own.port, own.protocol)) },
              endpoints.map(({ ip, hostname, ready }) =>
                endpoint(ip, { conditions: { ready }, ...(hostname === undefined ? {} : { hostname }) }),
              ),
            )
          : service(inNamespace, name, { type: 'ExternalName', externalName }),
      ),
  ]);
}
