import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ask } from '../client/ask.ts';
import type { Message } from '../client/message.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { type Answering, answering } from '../servers/answering.ts';
import { run } from '../servers/child.ts';

const ENTRY = fileURLToPath(new URL('../../bin/signpost.js', import.meta.url));
const REFUSED = 5;

suite('signpost serve --config', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-config-file-'));
  const path = join(folder, 'signpost.yaml');
  let outside: Answering;
  let corp: Answering;
  let routed: Answering;
  let agent: Agent;

  const settings = (maxTtl: string): string => `
clusterDns: udp://127.0.0.1:9
upstreams: udp://127.0.0.1:${outside.port}
cacheSize: 8MiB
logLevel: warn
zones:
  corp.example:
    upstreams: udp://127.0.0.1:${corp.port}
    cache: {maxTtl: ${maxTtl}}
    hosts: [192.0.2.77 db.corp.example]
    refuse: [ads.corp.example]
  v4.corp.example: {aaaa: off}
  routed.example:
    upstreams: udp://127.0.0.1:9
    cache: {maxTtl: 9s}
`;

  before(async () => {
    [outside, corp, routed] = await Promise.all([answering(1), answering(2), answering(3)]);
    replace(path, settings('7s'));
    const route = `routed.example=udp://127.0.0.1:${routed.port}`;
    // The agent's own line that it listens is what the tests find it by.
    agent = await startAgent(['--config', path, '--route', route, '--log-level', 'info']);
  });

  after(async () => {
    await agent?.stop();
    for (const upstream of [outside, corp, routed]) upstream?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const look = (name: string, type = 'A'): Promise<Message> => ask(agent, { name, type });
  const addressAndTtl = async (name: string): Promise<string> => {
    const { answers } = await look(name);
    return `${dotted(answers[0]?.data)} ${answers[0]?.ttl}`;
  };

  test('each zone asks its own upstreams and keeps answers as long as it is told', async () => {
    assert.equal(await addressAndTtl('www.example.org'), '192.0.2.1 60');
    assert.equal(await addressAndTtl('www.corp.example'), '192.0.2.2 7');
    assert.equal(await addressAndTtl('www.v4.corp.example'), '192.0.2.2 7');
  });

  test('a route of a flag beats the upstreams of a zone and leaves its other settings', async () => {
    assert.equal(await addressAndTtl('www.routed.example'), '192.0.2.3 9');
  });

  test('hosts, refused names and zones without AAAA are answered here', async () => {
    const before = corp.count();
    assert.equal(dotted((await look('db.corp.example')).answers[0]?.data), '192.0.2.77');
    assert.equal((await look('x.ads.corp.example')).rcode, REFUSED);
    const { rcode, answers } = await look('www.v4.corp.example', 'AAAA');
    assert.deepEqual([rcode, answers.length], [0, 0]);
    assert.equal(corp.count(), before);
  });

  test('a change of the file is taken over, and one that is wrong changes nothing', { timeout: 60_000 }, async () => {
    replace(path, settings('5s'));
    while ((await addressAndTtl(`a${Math.random()}.corp.example`)) !== '192.0.2.2 5') await sleep(20);
    replace(path, settings('5y'));
    while (!agent.child.output.includes('signpost.yaml:9: Cannot set zones.')) await sleep(20);
    assert.equal(await addressAndTtl('later.corp.example'), '192.0.2.2 5');
  });
});

suite('what is wrong with a configuration file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-config-file-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const said = async (command: string, text: string | undefined): Promise<string> => {
    const path = join(folder, 'signpost.yaml');
    if (text === undefined) rmSync(path, { force: true });
    else replace(path, text);
    const { code, stdout, stderr } = await run(process.execPath, [ENTRY, command, '--config', path], { cwd: folder });
    assert.equal(code, 2, stdout + stderr);
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /^\s+at /m, 'a stack is no message');
    return stderr;
  };

  for (const [what, text] of [
    ['a file that is not there', undefined],
    ['one that is no YAML', 'zones: ['],
    ['one that is empty', ''],
    [
      'one with several mistakes',
      'clusterDns: 10.96.0.10\nlogSampel: 5\nzones: {corp.example: {cache: {maxTtl: 5y}}}\n',
    ],
  ] as const) {
    test(`${what}: serve and check say the same, and end with 2`, async () => {
      const [serve, check] = [await said('serve', text), await said('check', text)];
      assert.equal(serve, check);
      assert.match(serve, /signpost\.yaml/);
    });
  }
});

suite('signpost check --config', () => {
  test('shows what comes of the file', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'signpost-config-file-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const upstream = await answering(1);
    t.after(() => upstream.close());
    const path = join(folder, 'signpost.yaml');
    const address = `udp://127.0.0.1:${upstream.port}`;
    replace(
      path,
      `clusterDns: ${address}\nupstreams: ${address}\nzones:\n  corp.example:\n    aaaa: off\n    mixedCase: on\n    hosts: 192.0.2.77 db.corp.example\n    cache: {minTtl: 5s, keepLastGood: 30s}\n`,
    );
    const { code, stdout, stderr } = await run(process.execPath, [ENTRY, 'check', '--config', path], { cwd: folder });
    assert.equal(code, 0, stdout + stderr);
    assert.match(
      stdout,
      /corp\.example\. .*\(mixed case\) .* kept 5s to 1h, .* no AAAA, 1 hosts entry, last good kept 30s$/m,
    );
  });
});

/** Of an A record's data, which comes in hexadecimal. */
function dotted(data = ''): string {
  return Buffer.from(data, 'hex').join('.');
}

/** At once: a file that is written in place is empty for a moment. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
