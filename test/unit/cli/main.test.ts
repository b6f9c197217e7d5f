import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../../servers/child.ts';

const ENTRY = fileURLToPath(new URL('../../../bin/signpost.js', import.meta.url));
const PACKAGE = new URL('../../../package.json', import.meta.url);

/** The environment without what Kubernetes would put there. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KUBE_DNS')));
const signpost = (...args: string[]) => run(process.execPath, [ENTRY, ...args], { env });

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  assert.deepEqual(await signpost('--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
});

test('--help names every command, on standard output', async () => {
  const { code, stdout, stderr } = await signpost('--help');
  assert.deepEqual([code, stderr], [0, '']);
  for (const command of ['serve', 'demo', 'check', 'query', 'status'])
    assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'));
});

test('every command has a help with all of its options', async () => {
  const options: Record<string, string[]> = {
    serve: [
      'listen',
      'metrics',
      'admin',
      'cluster-dns',
      'cluster-domain',
      'upstream',
      'resolv-conf',
      'route',
      'policy',
    ].concat(['cache-size', 'lameduck', 'log-level', 'log-format', 'log-sample']),
    demo: ['listen', 'cluster', 'metrics', 'admin'],
    check: ['listen', 'cluster-dns', 'json'],
    query: ['server', 'tcp', 'dnssec', 'timeout', 'json'],
    status: ['admin', 'json'],
  };
  for (const [command, names] of Object.entries(options)) {
    const { code, stdout } = await signpost(command, '--help');
    assert.equal(code, 0);
    for (const name of names)
      assert.match(stdout, new RegExp(`^ {2}--${name}\\b`, 'm'), `${command} --help names --${name}`);
  }
});

test('no command at all prints the help as an error', async () => {
  const { code, stdout, stderr } = await signpost();
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^Usage: signpost/);
});

const WRONG: [args: string[], message: RegExp][] = [
  [['serv'], /unknown command 'serv'\n\(Did you mean serve\?\)/],
  [['serve', '--lisen', '127.0.0.1'], /unknown option '--lisen'\n\(Did you mean --listen\?\)/],
  [['serve', '--listen'], /option '--listen <IP\[:PORT\]>' argument missing/],
  [['serve', 'now'], /too many arguments/],
  [
    ['serve', '--listen', 'foo', '--cluster-dns', '10.96.0.10', '--upstream', '9.9.9.9'],
    /^Cannot listen on foo \(--listen\): expected IP or IP:PORT/,
  ],
  [
    ['serve', '--cluster-dns', '10.96.0.10', '--resolv-conf', '/nowhere'],
    /^Cannot read \/nowhere \(--resolv-conf\): ENOENT/,
  ],
  [['serve', '--upstream', '9.9.9.9'], /^Cannot tell where the cluster DNS is \(--cluster-dns\)/],
  [['demo', '--listen', '0.0.0.0:53'], /^Cannot listen on 0\.0\.0\.0:53 \(--listen\)/],
  [['demo', '--admin', '9254'], /^Cannot serve the admin API on 9254 \(--admin\)/],
  [['demo', '--cluster', '/nowhere'], /\/nowhere \(--cluster\)/],
  [
    ['check', '--cache-size', 'big', '--upstream', '9.9.9.9', '--cluster-dns', '10.96.0.10'],
    /^Cannot size the cache to big/,
  ],
  [['query'], /missing required argument 'NAME'/],
  [['query', 'a..b'], /^Cannot ask for a\.\.b \(NAME\)/],
  [['query', 'a.example', 'WHAT'], /^Cannot ask for type WHAT \(TYPE\)/],
  [['query', 'a.example', '--server', 'dns.example'], /^Cannot ask dns\.example \(--server\)/],
  [['query', 'a.example', '--timeout', 'soon'], /^Cannot wait soon \(--timeout\)/],
];

for (const [args, message] of WRONG) {
  test(`"signpost ${args.join(' ')}" says what is wrong and ends with 2`, async () => {
    const { code, stdout, stderr } = await signpost(...args);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /^ {4}at /m, 'no stack');
    assert.deepEqual([code, stdout], [2, '']);
  });
}

test('several errors are said at once, one a line', async () => {
  const { code, stderr } = await signpost(
    'serve',
    '--listen',
    'foo',
    '--cluster-dns',
    'bar',
    '--upstream',
    'baz',
    '--lameduck',
    '5',
  );
  assert.equal(code, 2);
  assert.deepEqual(
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => /\((--\S+)\)/.exec(line)?.[1]),
    ['--listen', '--cluster-dns', '--upstream', '--lameduck'],
  );
});

test('check gives errors to scripts with their codes', async () => {
  const { code, stdout, stderr } = await signpost(
    'check',
    '--json',
    '--listen',
    'foo',
    '--cluster-dns',
    '10.96.0.10',
    '--upstream',
    '9.9.9.9',
  );
  assert.deepEqual([code, stderr], [2, '']);
  const { errors } = JSON.parse(stdout);
  assert.equal(errors.length, 1);
  assert.equal(errors[0].code, 'ERR_LISTEN_ADDRESS');
});

test('check ends with 0 where all upstreams answer, and with 2 and their names where one does not', async (t) => {
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  server.on('message', (bytes, client) => {
    bytes[2]! |= 0x80;
    server.send(bytes, client.port, client.address);
  });
  const good = `udp://127.0.0.1:${server.address().port}`;
  const sound = await signpost('check', '--cluster-dns', good, '--upstream', good, '--json');
  assert.deepEqual([sound.code, sound.stderr], [0, '']);
  const report = JSON.parse(sound.stdout);
  assert.deepEqual(report.errors, []);
  assert.equal(report.config.clusterDomain, 'cluster.local');
  assert.deepEqual(
    report.upstreams.map((upstream: { address: string; rcode: string }) => [upstream.address, upstream.rcode]),
    [[good, 'NOERROR']],
  );
  const bad = good.replace('udp', 'tcp');
  const broken = await signpost('check', '--cluster-dns', bad, '--upstream', good);
  assert.equal(broken.code, 2);
  assert.match(broken.stdout, /^listen +169\.254\.20\.10:53$/m);
  assert.equal(
    broken.stderr,
    `Cannot get an answer from ${bad}, which is asked for cluster.local., in-addr.arpa., ip6.arpa.: nothing listens there\n`,
  );
});

test('where no agent answers, query says so and ends with 3', async () => {
  const { code, stdout, stderr } = await signpost('query', 'a.example', '--server', '127.0.0.1:1', '--tcp');
  assert.deepEqual([code, stdout], [3, '']);
  assert.match(stderr, /^Cannot ask 127\.0\.0\.1:1 \(--server\): nothing listens there; is an agent running there\?/);
});
