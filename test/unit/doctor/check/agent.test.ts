import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '../../../../src/admin/status.ts';
import { packageVersion } from '../../../../src/core/version.ts';
import { agentCheck } from '../../../../src/doctor/check/agent.ts';
import { codesOf, exampleConfig, examplePatient } from '../example-patient.ts';

const AGENT = { pid: 812, args: [], env: {}, state: 'S', started: 5 };
const status = (reasons: Status['reasons']): Status =>
  ({ version: packageVersion(), uptimeSeconds: 90, ready: reasons.every(({ ok }) => ok), reasons }) as Status;

test('an agent that is ready: in order', async () => {
  const findings = await agentCheck.look(examplePatient({ agents: [AGENT], status: status([]) }));
  assert.deepEqual(codesOf(findings), ['ok agent-ready']);
});

test('an agent that is not ready says all its reasons, and its warnings apart', async () => {
  const reasons = [
    { name: 'rules', ok: false, message: 'the table is gone' },
    { name: 'firewall', ok: true, warning: true, message: 'a rule drops' },
  ];
  const findings = await agentCheck.look(examplePatient({ agents: [AGENT], status: status(reasons) }));
  assert.deepEqual(codesOf(findings), ['error agent-not-ready', 'warning agent-firewall']);
  assert.match(findings[0]!.message, /not ready:\nrules: the table is gone$/);
});

test('nobody there: an error that says where to look', async () => {
  const findings = await agentCheck.look(examplePatient({ agents: [] }));
  assert.deepEqual(codesOf(findings), ['error agent-missing']);
  assert.match(findings[0]!.remedy!, /kubectl/);
});

test('a process that is stopped is named, and how it goes on', async () => {
  const findings = await agentCheck.look(examplePatient({ agents: [{ ...AGENT, state: 'T' }] }));
  assert.deepEqual(codesOf(findings), ['error agent-stopped', 'error agent-silent']);
  assert.match(findings[0]!.remedy!, /kill -CONT 812/);
});

test('a standby of the one that serves is in order; a process that is nobody’s standby is not', async () => {
  const two = [AGENT, { ...AGENT, pid: 700 }];
  const waiting = {
    role: 'serving',
    generation: 2,
    arrival: 'taken',
    standbys: [{ pod: null, pid: 700, generation: 1 }],
  };
  const withStandby = { ...status([]), handOver: waiting };
  assert.deepEqual(codesOf(await agentCheck.look(examplePatient({ agents: two, status: withStandby }))), [
    'ok agent-standby',
    'ok agent-ready',
    'ok agent-has-standby',
  ]);
  const alone = { ...status([]), handOver: { ...waiting, standbys: [] } };
  assert.deepEqual(codesOf(await agentCheck.look(examplePatient({ agents: two, status: alone }))), [
    'warning agents-many',
    'ok agent-ready',
  ]);
});

test('an agent that was told to have no admin address is not called silent', async () => {
  const config = exampleConfig({ admin: 'off' });
  const findings = await agentCheck.look(examplePatient({ agents: [AGENT], config }));
  assert.deepEqual(codesOf(findings), ['note admin-off']);
});
