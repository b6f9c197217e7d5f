import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../servers/child.ts';

const ENTRY = fileURLToPath(new URL('../../bin/signpost.js', import.meta.url));
const COREFILE = `cluster.local:53 {
    errors
    cache 30
    bind __PILLAR__LOCAL__DNS__
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
}
.:53 {
    errors
    cache 30
    bind __PILLAR__LOCAL__DNS__
    rewrite name suffix .a.example .b.example
    forward . 192.0.2.1
}
`;

let folder: string;
let path: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signpost-import-'));
  path = join(folder, 'Corefile');
  await writeFile(path, COREFILE);
});

after(() => rm(folder, { recursive: true, force: true }));

const signpost = (...args: string[]) => run(process.execPath, [ENTRY, ...args], { cwd: folder });

test('import prints a file for --config, and names above it what has no equal', async () => {
  const { code, stdout, stderr } = await signpost('import', 'Corefile', '--listen', '127.0.0.9');
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(
    stdout,
    `# From Corefile. Save this as signpost.yaml, then: signpost serve --config signpost.yaml
# In flags, without a file, and without what the zones below say beside their upstreams:
#   signpost serve --listen 127.0.0.9:53 --cluster-domain cluster.local --upstream udp+tcp://192.0.2.1:53
# Where the cluster DNS is, it does not say: KUBE_DNS_UPSTREAM_SERVICE_HOST or KUBE_DNS_SERVICE_HOST of the pod does, or --cluster-dns.
#
# Has no equal here, and matters:
#   Corefile:13: rewrite is left out: names, types and options are asked as clients write them (name suffix .a.example .b.example); move the rule to the cluster DNS
#
# Built in, or left out without clients noticing:
#   Corefile:2, Corefile:10: errors is built in: failures are logged, the same one at most once in 10 s

listen:
  - 127.0.0.9:53
clusterDomain: cluster.local
upstreams:
  - udp+tcp://192.0.2.1:53
zones:
  cluster.local:
    cache:
      maxTtl: 30s
      negativeMaxTtl: 30s
  .:
    cache:
      maxTtl: 30s
      negativeMaxTtl: 30s
`,
  );
});

test('what placeholders are said to stand for is in the file', async () => {
  const { code, stdout, stderr } = await signpost(
    'import',
    'Corefile',
    '--cluster-dns',
    '192.0.2.10',
    '--listen',
    '127.0.0.9',
  );
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^clusterDns:\n {2}- 192\.0\.2\.10$/m);
  assert.match(stdout, /^# {3}signpost serve .*--cluster-dns 192\.0\.2\.10/m);
  assert.doesNotMatch(stdout, /it does not say/);
  const bad = await signpost('import', 'Corefile', '--cluster-dns', 'dns.example');
  assert.deepEqual([bad.code, bad.stdout], [2, '']);
  assert.match(bad.stderr, /--cluster-dns/);
});

test('import --json is the same for scripts', async () => {
  const { code, stdout } = await signpost('import', 'Corefile', '--json');
  const { settings, flags, isAll, notes } = JSON.parse(stdout);
  assert.deepEqual([code, settings.upstreams, isAll], [0, ['udp+tcp://192.0.2.1:53'], false]);
  assert.deepEqual(flags.slice(0, 2), ['--listen', '169.254.20.10:53']);
  assert.deepEqual(
    notes.filter((note: { matters: boolean }) => note.matters).map((note: { place: string }) => note.place),
    ['Corefile:13'],
  );
});

test('import says what the agent would refuse, in JSON where that is asked for', async () => {
  await writeFile(join(folder, 'odd'), '*.example {\n bind 127.0.0.9\n forward . 127.0.0.9\n}\n');
  const { code, stdout } = await signpost('import', 'odd', '--json');
  const messages = JSON.parse(stdout).errors.map(({ message }: { message: string }) => message);
  assert.equal(code, 2);
  assert.match(messages.join('\n'), /^odd:1: Cannot set server block to \*\.example: expected a domain name/m);
});

for (const [what, args, message] of [
  ['a file that is not there', ['import', 'gone'], /^Cannot read gone \(FILE\): ENOENT.*expected a readable Corefile/],
  ['a Corefile that is not there', ['serve', '--corefile', 'gone'], /^Cannot read gone \(--corefile\): ENOENT/],
  ['both files', ['serve', '--corefile', 'Corefile', '--config', 'x'], /^Cannot use --config and --corefile together/],
  ['both files', ['check', '--corefile', 'Corefile', '--config', 'x'], /^Cannot use --config and --corefile together/],
] as const) {
  test(`${args[0]} with ${what} ends with 2 and says why`, async () => {
    const { code, stdout, stderr } = await signpost(...args);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, message);
  });
}

test('what is wrong in a Corefile, or with a value in it, is named with file and line, all at once', async () => {
  const bad =
    '.:53 {\n bind 127.0.0.9\n cache 0\n forward . 192.0.2.1 127.0.0.9\n}\ncluster.local {\n forward . 192.0.2.2\n policy x\n}\n';
  await writeFile(join(folder, 'bad'), bad);
  const { code, stderr } = await signpost('check', '--corefile', 'bad');
  assert.equal(code, 2);
  const lines = stderr.trimEnd().split('\n');
  assert.match(lines[0]!, /^bad:3: Cannot read cache: 0: expected a whole number from 1/);
  assert.match(lines[1]!, /^bad:4: Cannot set forward to udp\+tcp:\/\/127\.0\.0\.9:53: .*own listen address/);
});
