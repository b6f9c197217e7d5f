import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '../cluster/api.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { run } from '../servers/child.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { KUBE_DNS, KUBE_DNS_UPSTREAM } from './world/addresses.ts';
import { Kubelet } from './world/kubelet.ts';
import { WORLD_PROGRAMS, World } from './world/world.ts';

const ROOT = join(import.meta.dirname, '../..');
const TITLE = '## On Kubernetes, in five minutes';
const CLUSTER_DNS = 'cluster-dns';

/** The commands of the README's section, a block each. */
function readmeBlocks(): string[][] {
  const [, section = ''] = readFileSync(join(ROOT, 'README.md'), 'utf8').split(`${TITLE}\n`);
  const [text = ''] = section.split('\n## ');
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!.trim().split('\n'));
}

suite('the five-minute start of the README, walked with the package as npm packs it', {
  skip: skipWithoutNamespaces('setpriv', ...WORLD_PROGRAMS, ...CLUSTER_PROGRAMS),
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-start-'));
  const blocks = readmeBlocks();
  let world: World;
  let controlPlane: ControlPlane;
  let kubelet: Kubelet;
  let signpost: readonly string[];
  let untouched: string;

  before(async () => {
    signpost = await installPackage(folder);
    controlPlane = await startControlPlane();
    world = await World.create('iptables-nft');
    const { api } = controlPlane;
    await untilThere(() => api.get('/api/v1/namespaces/kube-system'));
    await api.create(service('kube-dns', KUBE_DNS[4]));
    await api.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-1' } });
    kubelet = new Kubelet({ world, api, namespace: 'kube-system', labels: {}, entry: signpost });
    untouched = await network();
  });
  after(async () => {
    await world?.delete();
    await controlPlane?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const answerer = (): Promise<string> => world.answerer(world.pods[0], KUBE_DNS[4]);
  /** Rules and addresses of the node, without counters. */
  async function network(): Promise<string> {
    const script = 'nft list ruleset; iptables-legacy-save; ip -oneline address; ip -oneline link';
    const { stdout } = await world.node.run('sh', '-c', script);
    return stdout.replace(/packets \d+ bytes \d+|\[\d+:\d+\]|^#.*$/gm, '').replace(/state \w+/g, '');
  }

  /** What each command of the README does here; one that is not known fails the test. */
  const commands: readonly (readonly [RegExp, (...words: string[]) => Promise<unknown>])[] = [
    // test/image does what the Dockerfile says.
    [/^docker (?:build|push) /, async () => {}],
    [
      /^kubectl -n kube-system get service (\S+) -o jsonpath='\{\.spec\.clusterIP\}'$/,
      async (name) => {
        const found = await controlPlane.api.get(`/api/v1/namespaces/kube-system/services/${name}`);
        assert.equal((found['spec'] as { clusterIP: string }).clusterIP, KUBE_DNS[4]);
      },
    ],
    [/^signpost (manifests .*) \| kubectl (apply|delete) -f -$/, kubectlFile],
    [
      /^kubectl label node worker-1 (\w+)(?:=(\w+)|-)$/,
      async (key, value) => {
        if (value === undefined) delete kubelet.labels[key!];
        else kubelet.labels[key!] = value;
        await kubelet.sync();
      },
    ],
    [/^kubectl -n kube-system rollout status daemonset\/(\S+)$/, (name) => kubelet.untilReady(name!)],
    [
      /^kubectl -n kube-system exec daemonset\/(\S+) -- signpost (.*)$/,
      async (name, words) => {
        const { code, stdout, stderr } = await kubelet.exec(kubelet.pod(name!), [...signpost, ...words!.split(' ')]);
        assert.equal(code, 0, `signpost ${words}\n${stdout}${stderr}`);
        assert.notEqual(stdout, '');
      },
    ],
    [
      /^kubectl -n kube-system delete daemonset (\S+)$/,
      async (name) => {
        await controlPlane.api.delete(daemonSet(name!));
        await kubelet.sync();
      },
    ],
  ];

  async function kubectlFile(line?: string, verb?: string): Promise<void> {
    const { code, stdout, stderr } = await run(signpost[0]!, [...signpost.slice(1), ...line!.split(' '), '--json']);
    assert.equal(code, 0, stderr);
    for (const object of JSON.parse(stdout).items as KubernetesObject[]) {
      if (verb === 'delete') await controlPlane.api.delete(object);
      else await controlPlane.api.create(placed(object));
    }
    await kubelet.sync();
  }

  async function walk(block: readonly string[] | undefined): Promise<void> {
    for (const line of block ?? assert.fail('the README has fewer blocks than the walk has steps')) {
      const [found] = commands.flatMap(([pattern, perform]) => {
        const match = pattern.exec(line);
        return match === null ? [] : [() => perform(...match.slice(1))];
      });
      assert.ok(found, `the README says what this test does not know: ${line}`);
      await found();
    }
  }

  test('build and look: nothing is changed', async () => {
    await walk(blocks[0]);
    assert.equal(await answerer(), CLUSTER_DNS);
    assert.equal(await network(), untouched);
  });

  test('installed on one node: its pods are answered by the agent on the address that they have always asked', async () => {
    await walk(blocks[1]);
    await until('answered by the agent', async () => ![CLUSTER_DNS, ''].includes(await answerer()));
    assert.equal(await world.answerer(world.pods[0], KUBE_DNS_UPSTREAM[4]), CLUSTER_DNS);
  });

  test('status, doctor and query say that it is well', () => walk(blocks[2]));

  test('killed: the cluster DNS answers on that address until the agent is back', async () => {
    kubelet.pod('signpost').child.kill('SIGKILL');
    await until('answered by the cluster DNS', async () => (await answerer()) === CLUSTER_DNS);
    await kubelet.restart('signpost');
    await kubelet.untilReady('signpost');
    await until('answered by the agent again', async () => ![CLUSTER_DNS, ''].includes(await answerer()));
  });

  test('the way back: the node is as it was', async () => {
    await walk(blocks[3]);
    assert.equal(await answerer(), CLUSTER_DNS);
    assert.equal(await network(), untouched);
    assert.equal(blocks.length, 4);
  });
});

/** The addresses that the world has for Services, in place of the API server's choice. */
function placed(object: KubernetesObject): KubernetesObject {
  if (object.kind !== 'Service' || object.metadata.name !== 'kube-dns-upstream') return object;
  return { ...object, spec: { ...(object['spec'] as object), clusterIP: KUBE_DNS_UPSTREAM[4] } };
}

function service(name: string, clusterIP: string): KubernetesObject {
  const ports = [{ name: 'dns', protocol: 'UDP', port: 53 }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'kube-system' },
    spec: { clusterIP, ports },
  };
}

function daemonSet(name: string): KubernetesObject {
  return { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name, namespace: 'kube-system' } };
}

/** Packs and installs a copy of the checkout, for others pack the checkout itself at the same time; returns the command. */
async function installPackage(folder: string): Promise<string[]> {
  const copy = join(folder, 'checkout');
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const name of ['package.json', 'src', 'tsconfig.json', 'tsconfig.build.json', '.npmrc', ...files]) {
    if (name !== 'dist' && existsSync(join(ROOT, name)))
      cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  // npm tells the scripts that it runs what it was told itself; an npm below them must not take that for its own.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(?:config|package|lifecycle)/.test(name)),
  );
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: copy, env });
  assert.equal(packed.code, 0, packed.stderr);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--prefix', folder];
  const installed = await run('npm', ['install', ...flags, join(folder, `signpost-${version}.tgz`)], {
    cwd: folder,
    env,
  });
  assert.equal(installed.code, 0, installed.stderr);
  return [process.execPath, join(folder, 'node_modules/.bin/signpost')];
}

async function untilThere(get: () => Promise<unknown>): Promise<void> {
  await until('there', () =>
    get().then(
      () => true,
      () => false,
    ),
  );
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (!(await isSo())) {
    if (performance.now() > endMs) assert.fail(`not ${what} in 30 s`);
    await sleep(100);
  }
}
