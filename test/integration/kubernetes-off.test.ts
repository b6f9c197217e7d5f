import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { spawnAgent, startAgent } from '../servers/agent.ts';

const LOAD_LOG = fileURLToPath(new URL('../servers/load-log.ts', import.meta.url));
const FLAGS = ['--cluster-dns', '127.0.0.1:9', '--upstream', '127.0.0.1:9'];

for (const [what, flags, env] of [
  ['with --kubernetes off', ['--kubernetes', 'off'], {}],
  ['without credentials', [], { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '9' }],
] as const) {
  test(`${what} the client of the Kubernetes API is not even loaded`, async () => {
    const agent = await startAgent([...FLAGS, ...flags], { nodeFlags: ['--import', LOAD_LOG], env });
    const ready = (await (await fetch(`${agent.adminUrl}/ready`)).json()) as { reasons: { name: string }[] };
    const names = (await agent.scrape()).names();
    await agent.stop();
    assert.match(agent.child.output, /^loaded pino$/m);
    assert.doesNotMatch(agent.child.output, /^loaded undici$/m);
    assert.equal(
      ready.reasons.some(({ name }) => name.startsWith('kubernetes')),
      false,
    );
    assert.deepEqual(
      [...names].filter((name) => name.startsWith('signpost_kubernetes')),
      [],
    );
  });
}

test('a kubeconfig that cannot be used ends the start, and says what is wrong with it', async () => {
  const agent = spawnAgent([
    ...FLAGS,
    '--listen',
    '127.0.0.1:0',
    '--metrics',
    'off',
    '--admin',
    'off',
    '--kubernetes',
    '/absent',
  ]);
  assert.equal((await agent.exit).code, 2);
  assert.match(agent.output, /Cannot use \/absent for the Kubernetes API \(--kubernetes\): ENOENT/);
});
