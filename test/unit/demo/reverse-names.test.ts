import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCluster } from '../../../src/demo/cluster-file.ts';
import { addressFromReverseName, ReverseNames, reverseZoneOf } from '../../../src/demo/reverse-names.ts';

const V6 = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa';

test('a reverse name is read to the address in its shortest form', () => {
  assert.equal(addressFromReverseName('80.12.96.10.in-addr.arpa'), '10.96.12.80');
  assert.equal(addressFromReverseName(V6), 'fd00::1');
});

test('what is no whole address is none', () => {
  for (const name of [
    'in-addr.arpa',
    '12.96.10.in-addr.arpa',
    '1.80.12.96.10.in-addr.arpa',
    '300.12.96.10.in-addr.arpa',
  ]) {
    assert.equal(addressFromReverseName(name), undefined, name);
  }
  for (const name of ['ip6.arpa', V6.slice(2), `0.${V6}`, V6.replace('d', 'g'), V6.replace('d.f', 'df.0')]) {
    assert.equal(addressFromReverseName(name), undefined, name);
  }
});

test('a name belongs to its reverse zone, and to none where it only ends alike', () => {
  assert.equal(reverseZoneOf('10.in-addr.arpa'), 'in-addr.arpa');
  assert.equal(reverseZoneOf('ip6.arpa'), 'ip6.arpa');
  assert.equal(reverseZoneOf('notip6.arpa'), undefined);
});

test('a ClusterIP has one name, an endpoint one for each Service that it stands behind', () => {
  const names = new ReverseNames(
    parseCluster(
      `
namespaces:
  shop:
    web: { clusterIPs: [10.96.0.5], endpoints: [{ ip: 10.244.0.9 }] }
    db: { endpoints: [{ ip: 10.244.0.9, hostname: db-0 }, { ip: 10.244.0.10, ready: false }, { ip: "fd00::a" }] }
`,
      'mine.yaml',
    ),
  );
  assert.deepEqual(names.lookup('10.96.0.5'), ['web.shop.svc.cluster.local']);
  assert.deepEqual(names.lookup('10.244.0.9'), [
    '10-244-0-9.web.shop.svc.cluster.local',
    'db-0.db.shop.svc.cluster.local',
  ]);
  assert.deepEqual(names.lookup('fd00::a'), ['fd00--a.db.shop.svc.cluster.local']);
  assert.deepEqual(names.lookup('10.244.0.10'), []);
});
