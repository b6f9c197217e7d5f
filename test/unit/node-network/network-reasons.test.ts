import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkReasons } from '../../../src/node-network/network-reasons.ts';
import type { NetworkReport } from '../../../src/node-network/network-report.ts';
import type { WantedRules } from '../../../src/node-network/wanted-state.ts';

const LISTEN = { host: '169.254.20.10', port: 53 };
const RULES: WantedRules = {
  listen: [LISTEN],
  hasNoTrack: true,
  failovers: [{ family: 4, listen: LISTEN, service: { host: '10.96.0.11', port: 53 }, targets: [] }],
};
const REPORT: NetworkReport = {
  mode: 'nftables',
  modeReason: 'asked for',
  state: 'armed',
  link: 'signpost0',
  addresses: [LISTEN.host],
  rules: RULES,
  renewals: 5,
  renewedSecondsAgo: 0.4,
  notServing: 0,
  looks: 1,
  repairs: {},
  errors: {},
  findings: [],
  drops: [],
};

function notOk(report: Partial<NetworkReport>): string[] {
  return networkReasons({ ...REPORT, ...report }, RULES)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);
}

test('ready when the addresses and rules are there and the switch was renewed in time', () => {
  assert.deepEqual(notOk({}), []);
});

test('each thing that keeps queries away is a reason of its own', () => {
  assert.deepEqual(notOk({ state: 'idle', renewedSecondsAgo: undefined }), ['addresses', 'rules', 'switch']);
  assert.deepEqual(notOk({ state: 'prepared', renewedSecondsAgo: undefined }), ['rules', 'switch']);
  assert.deepEqual(notOk({ renewedSecondsAgo: 3.5 }), ['switch']);
  assert.deepEqual(notOk({ findings: [{ code: 'rules-missing', message: 'gone' }] }), ['rules']);
  assert.deepEqual(notOk({ findings: [{ code: 'address-missing', message: 'gone' }] }), ['addresses']);
  assert.deepEqual(notOk({ state: 'withdrawn' }), ['rules', 'switch']);
});

test('while a successor minds the network nothing is amiss here', () => {
  assert.deepEqual(notOk({ state: 'paused', renewedSecondsAgo: 60 }), []);
});

test('mode interface has no rules to be ready, and mode off has nothing', () => {
  assert.deepEqual(notOk({ mode: 'interface', renewedSecondsAgo: undefined }), []);
  assert.deepEqual(networkReasons({ ...REPORT, mode: 'off' }, RULES), []);
});

test('a family that has no fail-over is a warning, never a reason', () => {
  const rules = { ...RULES, failovers: [{ ...RULES.failovers[0]!, service: undefined }] };
  const warning = networkReasons(REPORT, rules).find(({ name }) => name === 'fail-over')!;
  assert.equal(warning.ok, true);
  assert.equal(warning.warning, true);
  assert.match(warning.message, /169\.254\.20\.10.*IPv4/);
});

test("a drop of the host's firewall is named with its remedy, and keeps nothing away", () => {
  const drops = [{ code: 'host-drops', message: 'the policy of INPUT drops queries', remedy: 'accept them' }];
  const reason = networkReasons({ ...REPORT, drops }, RULES).find(({ name }) => name === 'firewall')!;
  assert.deepEqual([reason.ok, reason.warning], [true, true]);
  assert.match(reason.message, /INPUT.*accept them/);
});
