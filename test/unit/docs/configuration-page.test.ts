import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configurationPage } from '../../../docs/configuration-page.ts';
import { type DocumentedKey, documentedKeys } from '../../../src/config/yaml-schema.ts';
import { complaintsAbout } from '../config/from-yaml.ts';

const path = join(import.meta.dirname, '../../../docs/configuration.md');
const FILES = { '/etc/signpost/hosts': '', '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.1\n' };

test('docs/configuration.md is what the schema makes of it: `npm run docs` writes it anew', () => {
  assert.equal(readFileSync(path, 'utf8'), configurationPage());
});

test('every YAML example of the page is a configuration', () => {
  const examples = [...configurationPage().matchAll(/```yaml\n(.*?)```/gs)];
  assert.equal(examples.length, 3);
  for (const [, yaml] of examples) assert.deepEqual(complaintsAbout(yaml!, {}, FILES), [], yaml!);
});

test('the example of every key is a value that the key may have', () => {
  for (const example of examplesOf(documentedKeys(), '')) {
    // No certificates are at hand; that the file is looked for shows that the key is known.
    const expected = example.includes('caFile') ? /Cannot set .*caFile.*ENOENT/ : /^$/;
    assert.match(complaintsAbout(example, {}, FILES).join('\n'), expected, example);
  }
});

/** Each key's example as a file of its own, in its place. */
function examplesOf(keys: readonly DocumentedKey[], before: string): string[] {
  return keys.flatMap(({ key, text, keys: nested }) => {
    if (text !== undefined) return [`${before}${key}: ${text.example}\n`];
    if (key === 'zones') return examplesOf(nested, 'zones:\n  corp.example:\n    ');
    return examplesOf(nested, `${before}${key}:\n      `);
  });
}
