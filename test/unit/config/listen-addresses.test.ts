import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Complaints } from '../../../src/config/complaints.ts';
import { listenAddresses } from '../../../src/config/listen-addresses.ts';

function read(...texts: string[]) {
  const complaints = new Complaints();
  const addresses = listenAddresses(
    texts.map((text) => ({ text, origin: { name: '--listen' } })),
    complaints,
  );
  complaints.throwIfAny();
  return addresses;
}

test('a value may hold the addresses of a pod as Kubernetes tells them, with commas between', () => {
  assert.deepEqual(read('10.1.2.3,2001:db8::3', '[fd00::10]:5300'), [
    { host: '10.1.2.3', port: 53 },
    { host: '2001:db8::3', port: 53 },
    { host: 'fd00::10', port: 5300 },
  ]);
});

test('an address that is given twice counts once', () => {
  assert.equal(read('10.1.2.3,10.1.2.3', '10.1.2.3:53').length, 1);
});

test('one that is wrong is named alone', () => {
  assert.throws(() => read('10.1.2.3,nowhere'), /Cannot listen on nowhere \(--listen\)/);
  assert.throws(() => read('10.1.2.3,'), /Cannot listen on "" \(--listen\)/);
});
