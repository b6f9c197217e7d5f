import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KNOWN_SERVICES } from '../../../src/core/limits.ts';
import { KnownServices } from '../../../src/search/known-services.ts';
import { nameFromText } from '../../../src/wire/name.ts';

/** A question's name, with something before the Service's label. */
function has(services: KnownServices, service: string, namespace: string): boolean {
  const name = nameFromText(`_http._tcp.${service}.${namespace}.svc.cluster.local`)!;
  return services.has(name, '_http._tcp'.length + 1);
}

test('a Service that was put is there in any case, and one of another name or namespace is not', () => {
  const services = new KnownServices();
  services.put('shop', 'web');
  assert.equal(has(services, 'web', 'shop'), true);
  assert.equal(has(services, 'WeB', 'SHOP'), true);
  assert.deepEqual([services.hasNamed('shop', 'web'), services.hasNamed('web', 'shop')], [true, false]);
  assert.equal(services.hasNamed('shop', 'w'.repeat(64)), false);
  for (const [service, namespace] of [
    ['web', 'shops'],
    ['web', 'sho'],
    ['we', 'shop'],
    ['webb', 'shop'],
    ['shop', 'web'],
    ['w\\@b', 'shop'],
  ] as const)
    assert.equal(has(services, service, namespace), false, `${service}.${namespace}`);
});

test('what was deleted is gone, what is put twice is there once, and what was never there can be deleted', () => {
  const services = new KnownServices();
  services.put('shop', 'web');
  services.put('shop', 'web');
  assert.equal(services.size, 1);
  services.delete('shop', 'other');
  services.delete('shop', 'web');
  assert.deepEqual([services.size, has(services, 'web', 'shop')], [0, false]);
  services.put('shop', 'web');
  assert.equal(has(services, 'web', 'shop'), true);
});

test('thousands that come and go leave what is there, and no more room taken than that needs', () => {
  const services = new KnownServices();
  const names = new Set<string>();
  for (let round = 0; round < 30; round++) {
    for (let at = 0; at < 1000; at++) {
      const name = `service-${(round * 617 + at * 31) % 5000}`;
      if (at % 3 === 0) {
        services.delete('shop', name);
        names.delete(name);
      } else {
        services.put('shop', name);
        names.add(name);
      }
    }
    assert.equal(services.size, names.size);
    for (let at = 0; at < 5000; at++) {
      assert.equal(has(services, `service-${at}`, 'shop'), names.has(`service-${at}`), `round ${round}, ${at}`);
    }
  }
});

test('what is no pair of labels is left out, for no question can name it', () => {
  const services = new KnownServices();
  services.put('', 'web');
  services.put('shop', '');
  services.put('shop', 'x'.repeat(64));
  services.put('x'.repeat(63), 'y'.repeat(63));
  assert.equal(services.size, 1);
  assert.equal(has(services, 'y'.repeat(63), 'x'.repeat(63)), true);
});

test('it is current while the watch is followed, and whole from the first time on', () => {
  const services = new KnownServices();
  const seen = [];
  for (const isFollowed of [false, true, true, false, false, true]) {
    services.setFollowed(isFollowed);
    seen.push([services.isCurrent, services.isWhole]);
  }
  const inBreak = [false, true];
  assert.deepEqual(seen, [[false, false], [true, true], [true, true], inBreak, inBreak, [true, true]]);
});

test('where there are more than the limit, what it says is not taken for all, until those without room are gone', (t) => {
  const { value, hits } = KNOWN_SERVICES;
  KNOWN_SERVICES.value = 2;
  t.after(() => {
    KNOWN_SERVICES.value = value;
  });
  const services = new KnownServices();
  services.setFollowed(true);
  for (const name of ['a', 'b', 'c', 'd']) services.put('shop', name);
  assert.deepEqual([services.size, services.isCurrent, KNOWN_SERVICES.hits - hits], [2, false, 2]);
  assert.equal(services.isWhole, false);
  services.delete('shop', 'a');
  services.delete('shop', 'c');
  assert.equal(services.isCurrent, false);
  services.delete('shop', 'd');
  assert.equal(services.isCurrent, true);
});
