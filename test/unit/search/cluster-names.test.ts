import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotExist } from '../../../src/search/cluster-names.ts';
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
