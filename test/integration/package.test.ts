import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask } from '../client/ask.ts';
import { Child, run } from '../servers/child.ts';
import { refuseInCi } from '../servers/programs.ts';

const CHURN = fileURLToPath(new URL('../servers/heap-churn.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** npm tells the scripts it runs what it was told itself; an npm below them must not take that for its own. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(?:config|package|lifecycle)/.test(name)),
);

suite('the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-package-'));
  const signpost = join(folder, 'node_modules', '.bin', 'signpost');
  let whyNot: string | undefined;

  before(async () => {
    const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT, env });
    assert.equal(packed.code, 0, packed.stderr);
    const tarball = join(
      folder,
      `signpost-${JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version}.tgz`,
    );
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--prefix', folder, tarball];
    const installed = await run('npm', install, { cwd: folder, env });
    if (/\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ENOTCACHED)\b/.test(installed.stderr)) {
      whyNot = refuseInCi('the registry cannot be reached for the dependencies');
    } else assert.equal(installed.code, 0, installed.stderr);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test('runs where it is installed, with no source and no development tools', async (t) => {
    if (whyNot !== undefined) return t.skip(whyNot);
    const root = join(folder, 'node_modules', 'signpost');
    assert.deepEqual(
      ['bin', 'dist', 'src', 'test'].map((name) => existsSync(join(root, name))),
      [true, true, false, false],
    );
    assert.equal(existsSync(join(folder, 'node_modules', 'typescript')), false);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    assert.deepEqual(await run(process.execPath, [signpost, '--version']), {
      code: 0,
      stdout: `${version}\n`,
      stderr: '',
    });
    assert.match((await run(process.execPath, [signpost, 'serve', '--help'])).stdout, /--cluster-dns/);
  });

  test('keeps the part of its heap for new objects small, with no flag that says so', async (t) => {
    if (whyNot !== undefined) return t.skip(whyNot);
    const flags = ['--listen', '127.0.0.1:0', '--metrics', 'off', '--admin', '127.0.0.1:0', '--lameduck', '0s'];
    const upstreams = ['--cluster-dns', '127.0.0.1:9', '--upstream', '127.0.0.1:9'];
    const args = ['--import', CHURN, signpost, 'serve', ...flags, ...upstreams];
    const agent = new Child(process.execPath, args, {
      cwd: folder,
      env: { ...env, NODE_OPTIONS: '' },
      hasChannel: true,
    });
    t.after(() => agent.stop());
    await agent.waitUntil('listening', () => agent.output.includes('listening'));
    const halfBytes = ((await agent.request('churn')) as number) / 2;
    // What a start took is kept: 2 MiB mostly, at times twice that and a little. V8 by itself goes to 16.
    assert.ok(halfBytes <= 8 * 1024 * 1024, `${halfBytes} bytes`);
  });

  test('has a demo that answers', async (t) => {
    if (whyNot !== undefined) return t.skip(whyNot);
    const flags = ['--listen', '127.0.0.1:0', '--metrics', 'off', '--admin', '127.0.0.1:0'];
    const demo = new Child(process.execPath, [signpost, 'demo', ...flags], { cwd: folder });
    t.after(() => demo.stop());
    const port = (): string | undefined => /answers on 127\.0\.0\.1:(\d+)/.exec(demo.output)?.[1];
    await demo.waitUntil('ready', () => port() !== undefined);
    const reply = await ask(
      { host: '127.0.0.1', port: Number(port()) },
      { name: 'web.default.svc.cluster.local', type: 'A' },
    );
    assert.equal(reply.rcode, 0);
    assert.equal(reply.answers.length, 1);
    assert.deepEqual(await demo.stop(), { code: 0, signal: null });
  });
});
