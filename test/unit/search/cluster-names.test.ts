import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotExist, cutAt, namespaceAt, serviceAt } from '../../../src/search/cluster-names.ts';
import { nameToText } from '../../../src/wire/name.ts';
import { encodeName } from '../../client/message.ts';

/** Whether the name, below cluster.local, can never exist. In the middle of other bytes, as in a message. */
function isImpossible(name: string): boolean {
  const wire = encodeName(name);
  const bytes = Buffer.concat([Buffer.alloc(12, 0xff), wire, Buffer.alloc(4, 0xff)]);
  return cannotExist(bytes, 12, 12 + wire.length, 2);
}

test('a name whose last label before the zone is neither svc nor pod cannot exist', () => {
  for (const name of ['www.example.com.cluster.local', 'example.CLUSTER.local', 'web.default.cluster.local']) {
    assert.equal(isImpossible(name), true, name);
  }
});

test('names of the schema may exist, in any case', () => {
  for (const name of [
    'cluster.local',
    'svc.cluster.local',
    'default.svc.cluster.local',
    'web.default.SVC.cluster.local',
    '_http._tcp.web.default.svc.cluster.local',
    'pod-0.web.default.svc.cluster.local',
    '10-0-0-1.default.pod.cluster.local',
    'dns-version.cluster.local',
    'ns.dns.cluster.local',
  ]) {
    assert.equal(isImpossible(name), false, name);
  }
});

test('three or more labels left of a service cannot exist, but for topology names', () => {
  assert.equal(isImpossible('a.b.c.web.default.svc.cluster.local'), true);
  assert.equal(isImpossible('www.example.com.web.default.svc.cluster.local'), true);
  assert.equal(isImpossible('pin.az1._zone.web.default.svc.cluster.local'), false);
});

/** The part of the name, below a zone of so many labels, from the offset on that `find` gives; `none` where it gives none. */
function suffixBy(find: typeof cutAt, name: string, zoneLabels: number): string {
  const wire = encodeName(name);
  const bytes = Buffer.concat([Buffer.alloc(12, 0xff), wire, Buffer.alloc(4, 0xff)]);
  const at = find(bytes, 12, 12 + wire.length, zoneLabels);
  return at === -1 ? 'none' : nameToText(bytes, at);
}

const SHAPES: readonly (readonly [name: string, service: string, namespace: string, cut: string])[] = [
  ['cluster.local', 'none', 'none', 'none'],
  ['svc.cluster.local', 'none', 'none', 'none'],
  ['pod.cluster.local', 'none', 'none', 'none'],
  ['com.cluster.local', 'none', 'none', 'none'],
  ['example.com.cluster.local', 'none', 'none', 'com.cluster.local.'],
  ['www.example.COM.Cluster.local', 'none', 'none', 'COM.Cluster.local.'],
  ['team1.svc.cluster.local', 'none', 'team1.svc.cluster.local.', 'none'],
  [
    'web.team1.svc.cluster.local',
    'web.team1.svc.cluster.local.',
    'team1.svc.cluster.local.',
    'team1.svc.cluster.local.',
  ],
  [
    'Web.Team1.SVC.cluster.local',
    'Web.Team1.SVC.cluster.local.',
    'Team1.SVC.cluster.local.',
    'Team1.SVC.cluster.local.',
  ],
  [
    'pod-0.web.team1.svc.cluster.local',
    'web.team1.svc.cluster.local.',
    'team1.svc.cluster.local.',
    'web.team1.svc.cluster.local.',
  ],
  [
    'www.example.com.team1.svc.cluster.local',
    'com.team1.svc.cluster.local.',
    'team1.svc.cluster.local.',
    'com.team1.svc.cluster.local.',
  ],
  [
    'web.team2.svc.cluster.local.team1.svc.cluster.local',
    'local.team1.svc.cluster.local.',
    'team1.svc.cluster.local.',
    'local.team1.svc.cluster.local.',
  ],
  ['_tcp.web.team1.svc.cluster.local', 'web.team1.svc.cluster.local.', 'team1.svc.cluster.local.', 'none'],
  ['_http._tcp.web.team1.svc.cluster.local', 'web.team1.svc.cluster.local.', 'team1.svc.cluster.local.', 'none'],
  ['az1._zone.web.team1.svc.cluster.local', 'web.team1.svc.cluster.local.', 'team1.svc.cluster.local.', 'none'],
  ['_tcp.team1.svc.cluster.local', '_tcp.team1.svc.cluster.local.', 'team1.svc.cluster.local.', 'none'],
  ['_http._tcp.example.com.cluster.local', 'none', 'none', 'none'],
  ['team1.pod.cluster.local', 'none', 'none', 'none'],
  ['10-0-0-1.team1.pod.cluster.local', 'none', 'none', 'none'],
  ['x.10-0-0-1.team1.pod.cluster.local', 'none', 'none', 'none'],
  ['ns.dns.cluster.local', 'none', 'none', 'none'],
  ['x.ns.DNS.cluster.local', 'none', 'none', 'none'],
  ['x.dns-version.cluster.local', 'none', 'none', 'none'],
  ['svc.svc.svc.cluster.local', 'svc.svc.svc.cluster.local.', 'svc.svc.cluster.local.', 'svc.svc.cluster.local.'],
];

for (const zone of ['cluster.local', 'local', 'svc.pod.svc.example']) {
  test(`the service, the namespace and the nearest cut above a name are found by its shape, below ${zone}`, () => {
    const below = (name: string) => name.replace(/cluster\.local(\.?)$/i, `${zone}$1`);
    for (const [name, ...suffixes] of SHAPES) {
      const found = [serviceAt, namespaceAt, cutAt].map((find) => suffixBy(find, below(name), zone.split('.').length));
      assert.deepEqual(found, suffixes.map(below), below(name));
    }
  });
}
