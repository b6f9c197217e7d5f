import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SocketAddress } from '../../../src/config/config.ts';
import { type Dump, parseDump, serviceRules } from '../../../src/node-network/iptables-dump.ts';
import { ipvsTargets, kubeProxyTargets, nftablesProxyTargets } from '../../../src/node-network/kube-proxy-targets.ts';

const SERVICE = { host: '10.96.0.10', port: 53 };

const findTargets = async (dump: Dump, service: SocketAddress) =>
  (await kubeProxyTargets(async (chains) => serviceRules(dump, chains), service)).targets;

test("the DNS pods are read out of kube-proxy's chains (iptables)", async () => {
  const dump = parseDump(`*nat
:KUBE-SERVICES - [0:0]
:KUBE-SVC-DNS - [0:0]
:KUBE-SVC-WEB - [0:0]
:KUBE-SEP-A - [0:0]
:KUBE-SEP-B - [0:0]
:KUBE-SEP-C - [0:0]
-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j KUBE-SVC-DNS
-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:metrics cluster IP" -m tcp --dport 9153 -j KUBE-SVC-WEB
-A KUBE-SVC-DNS ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p udp -m udp --dport 53 -j KUBE-MARK-MASQ
-A KUBE-SVC-DNS -m comment --comment "kube-system/kube-dns:dns -> 10.244.0.2:53" -m statistic --mode random --probability 0.5 -j KUBE-SEP-A
-A KUBE-SVC-DNS -m comment --comment "kube-system/kube-dns:dns -> 10.244.0.3:5353" -j KUBE-SEP-B
-A KUBE-SVC-WEB -j KUBE-SEP-C
-A KUBE-SEP-A -s 10.244.0.2/32 -j KUBE-MARK-MASQ
-A KUBE-SEP-A -p udp -m udp -j DNAT --to-destination 10.244.0.2:53
-A KUBE-SEP-B -p udp -m udp -j DNAT --to-destination 10.244.0.3:5353
-A KUBE-SEP-C -p tcp -m tcp -j DNAT --to-destination 10.244.0.4:9153
COMMIT
`);
  assert.deepEqual(await findTargets(dump, SERVICE), [
    { host: '10.244.0.2', port: 53 },
    { host: '10.244.0.3', port: 5353 },
  ]);
  assert.deepEqual(await findTargets(dump, { host: '10.96.0.11', port: 53 }), []);
  assert.deepEqual(await findTargets(parseDump(''), SERVICE), []);
});

test("the DNS pods are read out of kube-proxy's table (nftables)", () => {
  const text = `table ip kube-proxy {
	map service-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 10.96.0.10 . udp . 53 : goto service-AAAAAAAA-kube-system/kube-dns/udp/dns,
			     10.96.0.10 . tcp . 53 comment "kube-system/kube-dns:dns-tcp" : goto service-BBBBBBBB-kube-system/kube-dns/tcp/dns-tcp }
	}

	chain service-AAAAAAAA-kube-system/kube-dns/udp/dns {
		numgen random mod 2 vmap { 0 : goto endpoint-CCCCCCCC-kube-system/kube-dns/udp/dns__10.244.0.2/53, 1 : goto endpoint-DDDDDDDD-kube-system/kube-dns/udp/dns__10.244.0.3/53 }
	}

	chain endpoint-CCCCCCCC-kube-system/kube-dns/udp/dns__10.244.0.2/53 {
		ip saddr 10.244.0.2 jump mark-for-masquerade
		meta l4proto udp dnat to 10.244.0.2:53
	}

	chain endpoint-DDDDDDDD-kube-system/kube-dns/udp/dns__10.244.0.3/53 {
		meta l4proto udp dnat to 10.244.0.3:53
	}
}
`;
  assert.deepEqual(nftablesProxyTargets(text, SERVICE), [
    { host: '10.244.0.2', port: 53 },
    { host: '10.244.0.3', port: 53 },
  ]);
  assert.deepEqual(nftablesProxyTargets('', SERVICE), []);
});

test("the DNS pods are read out of the kernel's table (IPVS), both families", () => {
  const text = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A600001:01BB rr
  -> C0A80001:192B      Masq    1      0          0
UDP  0A60000A:0035 rr
  -> 0AF40002:0035      Masq    1      0          7
  -> 0AF40003:14E9      Masq    1      0          7
UDP  [fd00:0096:0000:0000:0000:0000:0000:000a]:0035 rr
  -> [fd00:0244:0000:0000:0000:0000:0000:0002]:0035      Masq    1      0          0
`;
  assert.deepEqual(ipvsTargets(text, SERVICE), [
    { host: '10.244.0.2', port: 53 },
    { host: '10.244.0.3', port: 5353 },
  ]);
  assert.deepEqual(ipvsTargets(text, { host: 'fd00:96::a', port: 53 }), [{ host: 'fd00:244::2', port: 53 }]);
});
