import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { findForeignPackages, findLayerBreaches } from './tidy/imports.ts';
import { type Finding, formatFindings, readSourceFiles, type SourceFile } from './tidy/source-file.ts';
import {
  findBarrels,
  findLeftovers,
  findLockedHosts,
  findLongFiles,
  findMachineTraces,
  findUndocumentedFlags,
  findUnexplainedLimits,
} from './tidy/texts.ts';

const root = dirname(import.meta.dirname);
const files = readSourceFiles(root);

interface Rule {
  readonly promise: string;
  readonly find: (files: readonly SourceFile[]) => Finding[];
  /** Each of these must be found, or the rule could not fail. */
  readonly breaches: readonly SourceFile[];
  /** None of these may be found. */
  readonly fair: readonly SourceFile[];
}

const file = (path: string, text: string): SourceFile => ({ path, text });
const limits = (comment: string) => file('src/core/limits.ts', `${comment}\nexport const TABLE = limit('table', 8);\n`);

const rules: Rule[] = [
  {
    promise: 'rooms import from lower rooms only',
    find: findLayerBreaches,
    breaches: [
      file('src/cache/entry.ts', "import { Agent } from '../agent/agent.ts';"),
      file('src/cache/entry.ts', "import type { Upstream } from '../upstream/upstream.ts';"),
      file('src/core/clock.ts', "import {\n  TYPE_A,\n} from '../wire/constants.ts';"),
      file('src/demo/demo.ts', "const cli = await import('../cli/main.ts');"),
      file('src/attic/box.ts', "import { limit } from '../core/limits.ts';"),
    ],
    fair: [
      file('src/demo/demo.ts', "import { Agent } from '../agent/agent.ts';"),
      file('src/upstream/policy/random.ts', "import { Upstream } from '../upstream.ts';"),
      file('src/core/clock.ts', "// it was copied from '../agent/agent.ts'"),
      file('test/unit/core/clock.test.ts', "import { Agent } from '../../../src/agent/agent.ts';"),
    ],
  },
  {
    promise: 'every package has one room that imports it',
    find: findForeignPackages,
    breaches: [
      file('src/listen/udp.ts', "import koffi from 'koffi';"),
      file('src/wire/name.ts', "import type { Packet } from 'dns-packet';"),
      file('src/upstream/udp.ts', "import { Pool } from 'undici';"),
      file('src/agent/agent.ts', "import Registry from 'prom-client/lib/registry.js';"),
      file('src/core/clock.ts', "import thing from '@scope/unknown/part.js';"),
    ],
    fair: [
      file('src/metrics/register.ts', "import Registry from 'prom-client/lib/registry.js';"),
      file('src/kubernetes/api.ts', "import { Pool } from 'undici';"),
      file('src/listen/udp.ts', "import dgram from 'node:dgram';"),
      file('src/listen/udp.ts', "const bytes = Buffer.from('0001', 'hex');"),
    ],
  },
  {
    promise: 'code files are short enough to be held in the head',
    find: findLongFiles,
    breaches: [file('src/core/a.ts', 'x;\n'.repeat(401)), file('test/unit/core/a.test.ts', 'x;\n'.repeat(500))],
    fair: [file('src/core/a.ts', 'x;\n'.repeat(400)), file('docs/a.md', 'x\n'.repeat(900))],
  },
  {
    promise: 'nothing unfinished is left in the code',
    find: findLeftovers,
    breaches: [
      file('src/core/a.ts', `// ${'TO'}DO later`),
      file('bin/a.js', `// ${'FIX'}ME`),
      file('src/core/a.ts', 'console.log(1);'),
      file('test/unit/a.test.ts', `  debug${'ger'};`),
      file('test/unit/a.test.ts', `test.on${'ly'}('a', () => {});`),
      file('test/unit/a.test.ts', `test('a', { on${'ly'}: true }, () => {});`),
    ],
    fair: [file('src/cli/query.ts', 'console.log(1);'), file('test/unit/a.test.ts', 'console.log(1);')],
  },
  {
    promise: 'files are named after one noun and pass on nothing',
    find: findBarrels,
    breaches: [
      file('src/core/index.ts', 'x;'),
      file('src/wire/name.ts', "export * from './header.ts';"),
      file('src/wire/utils.ts', 'x;'),
      file('test/integration/helpers.ts', 'x;'),
    ],
    fair: [file('src/wire/name.ts', 'export const utils = 1;')],
  },
  {
    promise: 'nothing in the repository names the machine it was written on',
    find: findMachineTraces,
    breaches: [
      file('README.md', `cd /wo${'rk'}/main`),
      file('test/a.ts', `open('/tm${'p'}/x')`),
      file('.npmrc', `registr${'y'}=https://example.com`),
      file('docs/a.md', `https://npm-registr${'y'}.example.com/`),
    ],
    fair: [file('README.md', 'See /var/lib, docs/ and the workshop.'), file('.npmrc', 'fund=false')],
  },
  {
    promise: 'the lock file names no registry',
    find: findLockedHosts,
    breaches: [file('package-lock.json', '      "resolved": "https://example.com/a.tgz",')],
    fair: [file('package-lock.json', '      "integrity": "sha512-a",')],
  },
  {
    promise: 'every limit says what it rests on and what happens when it is full',
    find: findUnexplainedLimits,
    breaches: [
      limits(''),
      limits('/** Entries. */'),
      limits('/** 8 x 1 KiB. */'),
      limits('/** Many. Full: dropped. */'),
    ],
    fair: [
      limits('/** Entries: 8 x 1 KiB. Full: dropped. */'),
      file('src/core/limits.ts', "/** Longer ones are dropped. */\nexport const A = limit('a_bytes', 8);"),
      limits('/**\n * A half of the rest.\n * Full: dropped.\n */'),
    ],
  },
];

for (const { promise, find, breaches, fair } of rules) {
  test(promise, () => {
    const findings = find(files);
    assert.equal(findings.length, 0, `\n${formatFindings(findings)}`);
  });

  test(`a breach is found: ${promise}`, () => {
    for (const breach of breaches) assert.notEqual(find([breach]).length, 0, `${breach.path}: ${breach.text}`);
    for (const sample of fair) assert.equal(formatFindings(find([sample])), '', `${sample.path}: ${sample.text}`);
  });
}

test('a finding names the file, the line and the remedy', () => {
  const sample = file('src/core/clock.ts', "\n\nimport { Agent } from '../agent/agent.ts';");
  assert.match(
    formatFindings(findLayerBreaches([sample])),
    /^src\/core\/clock\.ts:3: core\/ may not import .* pass it in/,
  );
});

test('every flag of serve is explained in the README or in docs', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/signpost.js'), 'serve', '--help'], {
    encoding: 'utf8',
  });
  assert.match(stdout, /--listen/, stderr);
  const pages = files.filter(({ path }) => path === 'README.md' || path.startsWith('docs/'));
  assert.equal(formatFindings(findUndocumentedFlags(stdout, pages)), '');
  assert.equal(findUndocumentedFlags('  --listen <a>\n  --no-such-flag', pages).length, 1);
});

test('the repository is read whole', () => {
  for (const path of [
    'src/core/limits.ts',
    'package-lock.json',
    'README.md',
    'Dockerfile',
    'manifests/daemon-set.yaml',
  ]) {
    assert.equal(files.filter((source) => source.path === path).length, 1, path);
  }
});
