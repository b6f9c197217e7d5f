import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { ConfigErrors } from '../../../src/config/config-errors.ts';
import type { Flags } from '../../../src/config/flags.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';

const surroundings = { env: {}, isTerminal: false, readFile: () => 'nameserver 192.0.2.53\n' };

function config(flags: Flags): Config {
  return configFromFlags({ clusterDns: ['192.0.2.1'], ...flags }, surroundings).config;
}

test('probes are answered on further addresses, each once', () => {
  const probes = ['127.0.0.1:8080', '[::1]:8181', '127.0.0.1:8080'];
  assert.deepEqual(config({ probes }).probes, [
    { host: '127.0.0.1', port: 8080 },
    { host: '::1', port: 8181 },
  ]);
});

test('an address on a wildcard holds for all addresses with its port', () => {
  assert.deepEqual(config({ probes: ['0.0.0.0:8080', '127.0.0.1:8080'] }).probes, [{ host: '0.0.0.0', port: 8080 }]);
});

test('probes are answered on the port of the admin API where no other is said', () => {
  assert.deepEqual(config({ probes: ['10.1.2.3', '2001:db8::3'] }).probes, [
    { host: '10.1.2.3', port: 9254 },
    { host: '2001:db8::3', port: 9254 },
  ]);
});

for (const [address, message] of [
  ['127.0.0.1', /127\.0\.0\.1:9254 is taken by --metrics or --admin; expected another port/],
  ['node-7', /Cannot answer probes on node-7 \(--probes\): expected IP or IP:PORT/],
  ['0.0.0.0:9254', /127\.0\.0\.1:9254 is taken by --metrics or --admin; expected another port/],
  ['127.0.0.1:9253', /0\.0\.0\.0:9253 is taken/],
] as const) {
  test(`probes cannot be answered on ${address}`, () => {
    assert.throws(
      () => config({ probes: [address] }),
      (error) => error instanceof ConfigErrors && message.test(error.message),
    );
  });
}
