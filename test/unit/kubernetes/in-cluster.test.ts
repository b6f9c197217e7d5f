import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inClusterAccess } from '../../../src/kubernetes/in-cluster.ts';

test('a pod has access where it has an API server and a service account, over either family', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-account-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '6443' };
  assert.equal(await inClusterAccess(env, folder), undefined);
  await writeFile(join(folder, 'token'), 'secret\n');
  await writeFile(join(folder, 'ca.crt'), 'CA');
  const access = (await inClusterAccess(env, folder))!;
  assert.equal(access.server.href, 'https://10.96.0.1:6443/');
  assert.equal(access.isInsecure, false);
  assert.deepEqual(await access.credentials(), { token: 'secret', ca: 'CA' });
  const six = { KUBERNETES_SERVICE_HOST: 'fd00::1' };
  assert.equal((await inClusterAccess(six, folder))!.server.origin, 'https://[fd00::1]');
  assert.equal(await inClusterAccess({}, folder), undefined);
});
