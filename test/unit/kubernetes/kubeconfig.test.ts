import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { kubeconfigAccess } from '../../../src/kubernetes/kubeconfig.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signpost-kubeconfig-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const CLUSTER = { server: 'https://10.96.0.1:6443/k8s', 'insecure-skip-tls-verify': true };

async function access(cluster: object, user: object, current = 'here') {
  const path = join(folder, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current,
    clusters: [
      { name: 'other', cluster: {} },
      { name: 'c', cluster },
    ],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
  };
  await writeFile(path, JSON.stringify(config));
  return kubeconfigAccess(path);
}

test('server and user of the current context are taken', async () => {
  const found = await access({ ...CLUSTER, 'tls-server-name': 'api' }, { token: 'secret' });
  assert.equal(found.server.href, 'https://10.96.0.1:6443/k8s');
  assert.equal(found.serverName, 'api');
  assert.equal(found.isInsecure, true);
  assert.deepEqual(await found.credentials(), {
    token: 'secret',
    ca: undefined,
    certificate: undefined,
    key: undefined,
  });
});

test('what is in the file itself and what it names beside it are the same, and files are read each time', async () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const inside = await access(
    { server: CLUSTER.server, 'certificate-authority-data': base64('CA') },
    { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
  );
  assert.deepEqual(await inside.credentials(), { token: undefined, ca: 'CA', certificate: 'CERT', key: 'KEY' });
  assert.equal(inside.isInsecure, false);
  for (const [name, text] of Object.entries({ ca: 'CA', cert: 'CERT', key: 'KEY', token: 'T1\n' })) {
    await writeFile(join(folder, name), text);
  }
  const beside = await access(
    { server: CLUSTER.server, 'certificate-authority': 'ca' },
    { 'client-certificate': join(folder, 'cert'), 'client-key': 'key', tokenFile: 'token' },
  );
  assert.deepEqual(await beside.credentials(), { token: 'T1', ca: 'CA', certificate: 'CERT', key: 'KEY' });
  await writeFile(join(folder, 'token'), 'T2');
  assert.equal((await beside.credentials()).token, 'T2');
});

test('what cannot be used is refused with the file, what is wrong and what is expected', async () => {
  const refused = async (pattern: RegExp, cluster: object, user: object, current?: string) => {
    await assert.rejects(access(cluster, user, current), ({ code, message }: Error & { code: string }) => {
      assert.equal(code, 'ERR_KUBERNETES');
      assert.match(message, pattern);
      assert.match(message, /^Cannot use \S+kubeconfig for the Kubernetes API \(--kubernetes\): /);
      return true;
    });
  };
  await refused(/it has no context 'there' \(contexts: here\)/, CLUSTER, {}, 'there');
  await refused(/its server is missing; expected such as https:\/\/10\.96\.0\.1/, {}, {});
  await refused(/its server is 'ftp:\/\/a'/, { server: 'ftp://a' }, {});
  await refused(/from a program, which is not supported; expected token/, CLUSTER, { exec: { command: 'aws' } });
  await refused(/has a password/, CLUSTER, { username: 'a', password: 'b' });
  await refused(/proxy-url is not supported/, { ...CLUSTER, 'proxy-url': 'http://proxy' }, {});
  await assert.rejects(kubeconfigAccess(join(folder, 'absent')), { code: 'ERR_KUBERNETES', message: /ENOENT/ });
  await writeFile(join(folder, 'text'), 'just text');
  await assert.rejects(kubeconfigAccess(join(folder, 'text')), { message: /expected a kubeconfig/ });
  await writeFile(join(folder, 'broken'), 'users:\n- name: a\n  user:\n    token: secret: x\n');
  await assert.rejects(kubeconfigAccess(join(folder, 'broken')), ({ message }: Error) => {
    assert.match(message, /at line 4, column 12$/);
    assert.doesNotMatch(message, /secret/, 'what is in the file may be a secret');
    return true;
  });
  await writeFile(join(folder, 'broken'), 'a: [');
  await assert.rejects(kubeconfigAccess(join(folder, 'broken')), { code: 'ERR_KUBERNETES' });
});
