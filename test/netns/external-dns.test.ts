import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Server } from '../client/ask.ts';
import { assertCached } from '../client/cached-answer.ts';
import type { KubernetesObject } from '../cluster/api.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { type DynamicZone, startDynamicZone } from '../servers/dynamic-zone.ts';
import { type ExternalDnsOptions, startExternalDns, synchronise } from '../servers/external-dns.ts';
import { KERBEROS_PROGRAMS, type Realm, startRealm } from '../servers/kerberos.ts';
import { assertRelayed } from '../servers/relayed.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { enterOwnNetwork, resolverFiles } from './own-network.ts';

const LISTEN: Server = { host: '169.254.20.10', port: 53 };
const ZONE = 'example.test';
/** The name in the server's Kerberos key; ExternalDNS makes its ticket for the host it sends to, so that name must lead to the agent. */
const SERVER: Server = { host: `ns.${ZONE}`, port: LISTEN.port };
const SECRET = Buffer.alloc(32, 'secret').toString('base64');
const WRONG = Buffer.from('not the secret').toString('base64');
/** A name that nobody may change. */
const FORBIDDEN = 'forbidden';
const HOSTNAME = 'external-dns.alpha.kubernetes.io/hostname';
/** 2001:db8::1 as RDATA. */
const IPV6 = '20010db8000000000000000000000001';

const skip = skipWithoutNamespaces(
  ...['unshare', 'mount', 'named', 'external-dns'],
  ...KERBEROS_PROGRAMS,
  ...CLUSTER_PROGRAMS,
);
if (!skip) {
  enterOwnNetwork({
    addresses: [`${LISTEN.host}/32`],
    files: {
      ...resolverFiles(LISTEN.host),
      // What a pod's `hostAliases` write.
      '/etc/hosts': `127.0.0.1 localhost\n${LISTEN.host} ${SERVER.host}\n`,
    },
  });
}

suite('ExternalDNS through the agent', { skip }, () => {
  let realm: Realm;
  let primary: DynamicZone;
  let cluster: ControlPlane;
  let agent: Agent;
  before(async () => {
    realm = await startRealm({
      name: 'EXAMPLE.TEST',
      host: '127.0.0.1',
      principals: [{ name: 'external-dns', password: 'secret' }, { name: `DNS/${SERVER.host}` }],
    });
    primary = await startDynamicZone({
      zones: [ZONE],
      records: [
        'kdc A 127.0.0.1',
        `_kerberos._udp SRV 0 0 ${realm.port} kdc`,
        `_kerberos._tcp SRV 0 0 ${realm.port} kdc`,
      ],
      keys: [`key "external-dns-key" { algorithm hmac-sha256; secret "${SECRET}"; };`],
      options: [`tkey-gssapi-keytab "${realm.keytab}";`],
      statements: [
        `update-policy {
          deny * name ${FORBIDDEN}.${ZONE} ANY;
          grant external-dns-key zonesub ANY;
          grant external-dns@${realm.name} zonesub ANY;
        };`,
        // ExternalDNS signs its transfers with a shared key, but not with a ticket.
        'allow-transfer { key external-dns-key; 127.0.0.1; };',
      ],
      env: realm.env,
    });
    cluster = await startControlPlane();
    const { clusterDns } = cluster;
    agent = await startAgent([
      ...['--listen', LISTEN.host, '--upstream', '127.0.0.1:9'],
      ...['--cluster-dns', `${clusterDns.host}:${clusterDns.port}`],
      ...['--route', `${ZONE}=${primary.host}:${primary.port}`],
    ]);
  });
  after(async () => {
    await agent?.stop();
    await cluster?.stop();
    await primary?.stop();
    await realm?.stop();
  });

  // As docs/dynamic-updates.md has them.
  const externalDns = (flags: readonly string[], env: NodeJS.ProcessEnv): ExternalDnsOptions => ({
    kubeconfig: cluster.kubeconfig,
    server: SERVER,
    zone: ZONE,
    flags: ['--rfc2136-min-ttl=60s', '--rfc2136-tsig-axfr', ...flags],
    env: { ...realm.env, ...env },
  });
  const withKey = (secret = SECRET) =>
    externalDns(['--rfc2136-tsig-keyname=external-dns-key', '--rfc2136-tsig-secret-alg=hmac-sha256'], {
      EXTERNAL_DNS_RFC2136_TSIG_SECRET: secret,
    });
  const withTicket = (password = 'secret') => {
    const user = [`--rfc2136-kerberos-realm=${realm.name}`, '--rfc2136-kerberos-username=external-dns'];
    return externalDns(['--rfc2136-gss-tsig', ...user], { EXTERNAL_DNS_RFC2136_KERBEROS_PASSWORD: password });
  };
  const assertAddresses = async (name: string, addresses: readonly string[], ipv6: readonly string[] = []) => {
    const hasOtherTypes = addresses.length + ipv6.length > 0;
    await assertCached(agent, { name, data: addresses, hasOtherTypes });
    await assertCached(agent, { name, type: 'AAAA', data: ipv6, hasOtherTypes });
  };
  /** A Service's whole life; `follow` brings the zone up to date. */
  const assertFollows = async (host: string, follow: () => Promise<unknown>) => {
    const name = `${host}.${ZONE}`;
    const service = loadBalancer(host, name, ['192.0.2.1']);
    await assertAddresses(name, []);
    await cluster.api.create(service);
    await follow();
    await assertAddresses(name, ['192.0.2.1']);
    await cluster.api.patchStatus(service, statusOf(['192.0.2.2', '192.0.2.3', '2001:db8::1']));
    await follow();
    await assertAddresses(name, ['192.0.2.2', '192.0.2.3'], [IPV6]);
    await cluster.api.delete(service);
    await follow();
    await assertAddresses(name, []);
  };

  for (const [kind, options, complaint] of [
    ['a shared key (TSIG)', withKey, /dns: bad authentication/],
    ['Kerberos tickets (GSS-TSIG)', withTicket, /password\/keytab incorrect/],
  ] as const) {
    const host = options.name.toLowerCase();

    test(`${kind}: a Service created, changed and deleted: the next query sees it, whatever was cached`, async () => {
      await assertFollows(`once-${host}`, () => synchronise(options()));
    });

    test(`${kind}: what is wrong or forbidden changes nothing, and ExternalDNS hears the server’s own words`, async () => {
      const name = `${FORBIDDEN}.${ZONE}`;
      const service = loadBalancer(`wrong-${host}`, name, ['192.0.2.1']);
      await assertAddresses(name, []);
      await cluster.api.create(service);
      await assert.rejects(synchronise(options(WRONG)), complaint);
      await assert.rejects(synchronise(options()), /bad return code: REFUSED/);
      await assertAddresses(name, []);
      await cluster.api.delete(service);
    });
  }

  test('the same while ExternalDNS runs on, with a new ticket and context for every update', async () => {
    const child = startExternalDns(withTicket());
    let seen = 0;
    try {
      await assertFollows('watched', async () => {
        // A change may take several updates: all are done when it has looked again and found nothing to do.
        const isDone = () => /SendMessage\.success.*All records are already up to date/s.test(child.output.slice(seen));
        await child.waitUntil('in step', isDone);
        seen = child.output.length;
      });
    } finally {
      await child.stop();
    }
  });

  test('more Services than ExternalDNS puts into one update, and all of them deleted', async () => {
    const names = Array.from({ length: 60 }, (_, at) => `many-${at}`);
    const services = names.map((name) => loadBalancer(name, `${name}.${ZONE}`, ['192.0.2.9']));
    const ofEach = <T>(items: readonly T[], act: (item: T) => Promise<void>) => Promise.all(items.map(act));
    const assertAll = (data: readonly string[]) =>
      ofEach(names, (name) => assertCached(agent, { name: `${name}.${ZONE}`, data }));
    await assertAll([]);
    await ofEach(services, (service) => cluster.api.create(service));
    await synchronise(withKey());
    await assertAll(['192.0.2.9']);
    await ofEach(services, (service) => cluster.api.delete(service));
    await synchronise(withTicket());
    await assertAll([]);
  });

  test('every message that passed is counted by kind, and none was lost on the way', async () => {
    await assertRelayed(agent, ['transfer', 'tkey', 'update']);
  });
});

/** A Service with the addresses that its cloud gave it. */
function loadBalancer(name: string, hostname: string, addresses: readonly string[]): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', annotations: { [HOSTNAME]: hostname } },
    spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 80 }] },
    status: statusOf(addresses),
  };
}

function statusOf(addresses: readonly string[]): object {
  return { loadBalancer: { ingress: addresses.map((ip) => ({ ip })) } };
}
