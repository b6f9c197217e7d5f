import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SearchCompletion } from '../../../src/agent/search-completion.ts';
import type { Config } from '../../../src/config/config.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { MAPPED_BYTES, mapAddress } from '../../../src/native/sockaddr.ts';
import { nameToText } from '../../../src/wire/name.ts';
import { until } from '../listen/setup.ts';
import { USUAL_POD } from '../resolve/completion/searching-world.ts';
import { House } from '../resolve/house.ts';

const OWN = ['team1.svc.cluster.local.', 'svc.cluster.local.', 'cluster.local.'];

/** What is settled by configuration, around a resolve room. */
class Setup {
  readonly house = new House();
  readonly completion: SearchCompletion;
  readonly config: Config;

  constructor(t: TestContext, searchConf: string) {
    const { clock, responder, services, wheel } = this.house;
    const watch = { pollMs: 20, settleMs: 5, goneMs: 10 };
    this.completion = new SearchCompletion({ clock, log: silentLogger, responder, services, wheel, watch });
    t.after(() => this.completion.close());
    this.config = { clusterDomain: 'cluster.local', searchConf } as Config;
    this.completion.pods.setCurrent(true);
    this.completion.pods.set('1', USUAL_POD);
  }

  /** How the pod is thought to search; nothing where it is not known. */
  get suffixes(): string[] | undefined {
    const address = new Uint8Array(MAPPED_BYTES);
    mapAddress(USUAL_POD.addresses[0]!, address);
    const search = this.completion.pods.find(address, this.house.clock.nowMs());
    return search?.suffixes.map((suffix) => nameToText(suffix, 0));
  }
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'search-completion-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

test("the suffixes of the node's resolv.conf follow those of the cluster, also after the file is another one", async (t) => {
  const path = join(await folder(t), 'resolv.conf');
  await writeFile(path, 'search corp.example\n');
  const setup = new Setup(t, path);
  setup.completion.apply(setup.config);
  assert.equal(setup.suffixes, undefined);
  await until('the first content', () => setup.suffixes?.length === 4);
  assert.deepEqual(setup.suffixes, [...OWN, 'corp.example.']);
  await writeFile(`${path}.new`, 'search lab.example\n');
  await rename(`${path}.new`, path);
  await until('the second content', () => setup.suffixes?.[3] === 'lab.example.');
});

test('where the file cannot be read, no search is completed, until it can', async (t) => {
  const path = join(await folder(t), 'resolv.conf');
  const setup = new Setup(t, path);
  setup.completion.apply(setup.config);
  await writeFile(path, 'nameserver 192.0.2.1\n');
  await until('the content', () => setup.suffixes?.length === 3);
  await rm(path);
  await until('that it is gone', () => setup.suffixes === undefined);
});

test('another cluster domain holds from the next query on, and any other change leaves what is decided', async (t) => {
  const path = join(await folder(t), 'resolv.conf');
  await writeFile(path, 'nameserver 192.0.2.1\n');
  const setup = new Setup(t, path);
  const { completion, config, house } = setup;
  assert.equal(house.responder.completion, undefined);
  completion.apply(config);
  await until('the pods', () => setup.suffixes?.length === 3);
  const first = house.responder.completion;
  assert.notEqual(first, undefined);
  completion.apply({ ...config, lameduckMs: 1 });
  assert.equal(house.responder.completion, first);
  completion.apply({ ...config, clusterDomain: 'other.test' });
  assert.notEqual(house.responder.completion, first);
  assert.deepEqual(setup.suffixes, ['team1.svc.other.test.', 'svc.other.test.', 'other.test.']);
});
