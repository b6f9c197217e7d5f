import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { kindsAsTable, nameOf } from '../../cluster/conformance.ts';
import { KINDS, requirementsOf } from '../../cluster/specification.ts';
import { SPECIFICATION_CLUSTER } from '../../cluster/specification-cluster.ts';

const PAGE = readFileSync(new URL('../../../docs/conformance.md', import.meta.url), 'utf8');

test('docs/conformance.md lists every kind of record, and how many of it are asked for', () => {
  assert.ok(PAGE.includes(`\n${kindsAsTable(requirementsOf(SPECIFICATION_CLUSTER))}\n`));
});

test('docs/conformance.md calls the known difference by its name', () => {
  const difference = { kind: KINDS.namelessPtr, what: 'missing', questions: [], of: 0 } as const;
  assert.ok(PAGE.includes(`\n${nameOf(difference, 'the cluster DNS')}\n`));
});
