import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGENTS } from '../../../bench/simulation/agents.ts';
import { connectionsOfNode, lookUpsOfNode } from '../../../bench/simulation/connections.ts';
import { fleetOf } from '../../../bench/simulation/fleet.ts';

const [nodelocal, ours] = AGENTS;
const figureOf = (agent: (typeof AGENTS)[number], what: string): number =>
  fleetOf(agent).find((row) => row.what === what)!.value;

test('queries are look-ups times what each costs', () => {
  const perSecond = (5000 * lookUpsOfNode() * nodelocal!.queriesPerThousandLookUps) / 1000;
  assert.equal(figureOf(nodelocal!, 'cluster DNS: queries'), perSecond);
});

test('one query at a time on a connection takes more connections the more is asked, and pipelining does not', () => {
  const busier = { ...nodelocal!, queriesPerThousandLookUps: 20 * nodelocal!.queriesPerThousandLookUps };
  assert.ok(connectionsOfNode(nodelocal!) >= 1);
  assert.ok(connectionsOfNode(busier) > connectionsOfNode(nodelocal!));
  assert.equal(connectionsOfNode({ ...ours!, queriesPerThousandLookUps: 20_000 }), connectionsOfNode(ours!));
});

test('who keeps the cache asks nothing anew when it is replaced, and who follows nothing costs the API server nothing', () => {
  assert.equal(figureOf(ours!, 'all replaced in an hour: queries on top, cold caches'), 0);
  assert.equal(figureOf(nodelocal!, '... lists at the API server'), 0);
  assert.ok(figureOf(ours!, '... lists at the API server') > 0);
});
