import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noteText } from '../../../../src/config/corefile/corefile-reader.ts';
import { read } from './read.ts';

const HEAD = '.:53 {\n  bind 127.0.0.1\n  cache\n  forward . 192.0.2.1\n';
/** The first line of `lines` is line 5. */
const root = (...lines: string[]): string => `${HEAD}${lines.map((line) => `  ${line}\n`).join('')}}\n`;

/** Aliases by zone, and what is said of `rewrite`. */
function told(corefile: string): { aliases: Record<string, unknown>; notes: string[]; errors: readonly string[] } {
  const { settings, notes, errors } = read(corefile);
  const zones = Object.entries((settings['zones'] ?? {}) as Record<string, Record<string, unknown>>);
  const aliases = zones
    .filter(([, zone]) => zone['aliases'] !== undefined)
    .map(([name, zone]) => [name, zone['aliases']]);
  return {
    aliases: Object.fromEntries(aliases),
    notes: notes.filter(({ name }) => name === 'rewrite').map((note) => `${note.matters ? '! ' : ''}${noteText(note)}`),
    errors,
  };
}

for (const line of [
  'rewrite name exact Foo.example.com svc.ns.svc.cluster.local',
  'rewrite name foo.example.com. svc.ns.svc.cluster.local.',
  'rewrite stop name exact foo.example.com svc.ns.svc.cluster.local',
  'rewrite continue name exact foo.example.com svc.ns.svc.cluster.local',
  'REWRITE'.toLowerCase().concat(' STOP Name Exact foo.example.com svc.ns.svc.cluster.local'),
  'rewrite name exact foo.example.com svc.ns.svc.cluster.local answer auto',
  'rewrite name exact foo.example.com svc.ns.svc.cluster.local answer name svc\\.ns\\.svc\\.cluster\\.local foo.example.com',
  'rewrite {\n name exact foo.example.com svc.ns.svc.cluster.local\n answer auto\n }',
  'rewrite stop {\n name exact foo.example.com svc.ns.svc.cluster.local\n }',
]) {
  test(`${JSON.stringify(line)} is an alias, and nothing is lost`, () => {
    const aliases = { '.': { 'foo.example.com': 'svc.ns.svc.cluster.local' } };
    assert.deepEqual(told(root(line)), { aliases, notes: [], errors: [] });
  });
}

test('the alias is in the zone that is asked for the name, and one to the names of another block is told', () => {
  const corp =
    'corp.example:53 {\n  bind 127.0.0.1\n  forward . 192.0.2.3\n  rewrite name w.corp.example x.example\n}\n';
  const { aliases, notes, errors } = told(
    root('forward part.example 192.0.2.2', 'rewrite name a.part.example b.part.example') + corp,
  );
  assert.deepEqual(aliases, {
    'part.example': { 'a.part.example': 'b.part.example' },
    'corp.example': { 'w.corp.example': 'x.example' },
  });
  assert.deepEqual(notes, [
    'Corefile:11: rewrite asks the servers of . for x.example., where CoreDNS asks those of corp.example.',
  ]);
  assert.deepEqual(errors, []);
});

test('a rule that goes on leads to where the others bring its name', () => {
  const { aliases, notes } = told(
    root(
      'rewrite continue name exact a.example b.example',
      'rewrite name exact x.example y.example',
      'rewrite continue name exact b.example c.example',
      'rewrite name exact c.example d.example',
      'rewrite name exact d.example e.example',
    ),
  );
  assert.deepEqual(aliases, { '.': { 'x.example': 'y.example', 'd.example': 'e.example' } });
  assert.equal(notes.length, 3);
  assert.match(
    notes[0]!,
    /^! Corefile:5: rewrite is left out: a\.example\. is asked as d\.example\., which is rewritten itself/,
  );
});

test('what comes back to the name, what a rule before it takes, and what is of no zone of its block is told', () => {
  const { aliases, notes } = told(
    `${root(
      'rewrite name exact a.example b.example',
      'rewrite name exact a.example c.example',
      'rewrite continue name exact d.example f.example',
      'rewrite name exact f.example d.example',
    )}corp.example:53 {\n bind 127.0.0.1\n forward . 192.0.2.3\n rewrite name a.example x.corp.example\n}\n`,
  );
  assert.deepEqual(aliases, { '.': { 'a.example': 'b.example', 'f.example': 'd.example' } });
  assert.deepEqual(notes, [
    'Corefile:6: rewrite is left out: a.example. is rewritten before',
    'Corefile:7: rewrite is left out: it leads d.example. back to itself',
    'Corefile:13: rewrite is left out: a.example. is in no zone of this block',
  ]);
});

test('hosts lines of a name that is rewritten are passed over, as CoreDNS never comes to them', () => {
  const { settings, errors, notes } = read(
    root('hosts {', '192.0.2.5 a.example b.example', 'fallthrough', '}', 'rewrite name a.example c.example'),
  );
  assert.deepEqual((settings['zones'] as Record<string, object>)['.'], {
    hosts: ['192.0.2.5 b.example.'],
    aliases: { 'a.example': 'c.example' },
  });
  assert.ok(notes.some(({ text }) => text === 'passes over the line: a.example. is rewritten before'));
  assert.deepEqual(errors, []);
});

test('every other rewrite is named with its words', () => {
  for (const rule of [
    'name regex (.*)x y',
    'stop name suffix .a.example .b.example',
    'name prefix a b',
    'name substring a b',
    'name exact *.example b.example',
    'type ANY HINFO',
    'class CH IN',
    'edns0 local set 0xffee abcd',
    'ttl exact a.example 30',
  ]) {
    const { aliases, notes } = told(root(`rewrite ${rule}`));
    assert.deepEqual(aliases, {});
    const left = 'names, types and options are asked as clients write them';
    assert.deepEqual(notes, [`! Corefile:5: rewrite is left out: ${left} (${rule}); move the rule to the cluster DNS`]);
  }
});

test('what else a rule does to the answer is named, and the alias is there', () => {
  const { aliases, notes } = told(root('rewrite name exact a.example b.example answer auto answer value (.*)x y'));
  assert.deepEqual(aliases, { '.': { 'a.example': 'b.example' } });
  assert.deepEqual(notes, [
    '! Corefile:5: rewrite answers with a CNAME from a.example., and leaves the rest as it is: answer value (.*)x y is left out',
  ]);
  assert.match(
    told(root('rewrite name exact a.example b.example auto')).errors.join('\n'),
    /^Corefile:5: Cannot read rewrite: expected answer/,
  );
});
