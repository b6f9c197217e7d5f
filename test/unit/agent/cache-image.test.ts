import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CacheImage } from '../../../src/agent/cache-image.ts';
import { zoneTable } from '../../../src/agent/zone-table.ts';
import { AnswerCache } from '../../../src/cache/answer-cache.ts';
import { AnswerDraft } from '../../../src/cache/answer-draft.ts';
import { KIND_POSITIVE } from '../../../src/cache/entry-memory.ts';
import type { Config, ZoneConfig } from '../../../src/config/config.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';
import { ZoneIds } from '../../../src/metrics/zone-ids.ts';
import { encodeMessage } from '../../../src/wire/codec.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { QueryView } from '../../../src/wire/query.ts';
import { encodeQuestion } from '../../client/message.ts';
import { FakeClock } from '../../fake-clock.ts';
import { scratch } from '../cache/image-house.ts';
import { PlayedUpstream } from '../resolve/house.ts';

const FLAGS = { clusterDns: ['10.96.0.10'], upstream: ['192.0.2.1'], route: ['corp.example=10.1.2.3,10.1.2.4'] };
const BASE = configFromFlags(FLAGS, { env: {}, isTerminal: false, readFile: () => '' }).config;
const CORP = BASE.zones.find(({ zone }) => zone === 'corp.example.')!;
const NAMES = ['www.example.com', 'www.corp.example', 'web.default.svc.cluster.local'];

/** The configuration with something else said of corp.example. */
function corp(change: Partial<ZoneConfig>): Config {
  return { ...BASE, zones: BASE.zones.map((zone) => (zone === CORP ? { ...zone, ...change } : zone)) };
}

class Process {
  readonly image: CacheImage;
  readonly #cache = new AnswerCache({ bytes: 2 << 20 });
  readonly #clock = new FakeClock();
  readonly #query = new QueryView(7);
  readonly #ids = new ZoneIds();

  constructor(config: Config) {
    this.image = new CacheImage({ cache: this.#cache, clock: this.#clock, seed: 7, ids: this.#ids });
    const forwarders = new Map(config.zones.map(({ zone }) => [zone, new PlayedUpstream()]));
    this.image.replaceRoutes(config, zoneTable(config, forwarders, this.#ids));
  }

  learn(name: string, zone: string): void {
    const scan = new MessageScan();
    const draft = new AnswerDraft();
    const message = encodeMessage({
      type: 'response',
      questions: [{ name, type: 'A' }],
      answers: [{ name, type: 'A', ttl: 20, data: '10.0.0.1' }],
    });
    scan.scan(message, 0, message.length);
    draft.takeRecords(scan, message);
    draft.kind = KIND_POSITIVE;
    draft.seconds = 20;
    draft.zone = this.#ids.id(zone);
    this.#cache.store(this.#ask(name), draft, this.#clock.nowMs());
  }

  knows(name: string): boolean {
    return this.#cache.findFresh(this.#ask(name), this.#clock.nowMs()) !== -1;
  }

  #ask(name: string): QueryView {
    const wire = encodeQuestion({ name, type: 'A' });
    this.#query.read(wire, 0, wire.length);
    return this.#query;
  }
}

/** Which of NAMES a process with the second configuration takes over from one with the first. */
async function takenOver(t: TestContext, before: Config, after: Config): Promise<string[]> {
  const path = join(await scratch(t), 'image');
  const [first, second] = [new Process(before), new Process(after)];
  first.learn(NAMES[0]!, '.');
  first.learn(NAMES[1]!, 'corp.example.');
  first.learn(NAMES[2]!, 'cluster.local.');
  const fd = openSync(path, 'w+');
  await first.image.save(fd);
  await second.image.load(fd);
  closeSync(fd);
  return NAMES.filter((name) => second.knows(name));
}

test('with the same configuration, or one that asks otherwise but for the same, all is taken over', async (t) => {
  assert.deepEqual(await takenOver(t, BASE, BASE), NAMES);
  const alike = { policy: 'sequential', tryMs: 1, logSample: 3, upstreams: CORP.upstreams.toReversed() } as const;
  assert.deepEqual(await takenOver(t, BASE, corp(alike)), NAMES);
});

test('a zone with other upstreams, lives, refused names or aliases begins empty, the others do not', async (t) => {
  const others = [NAMES[0]!, NAMES[2]!];
  for (const change of [
    { upstreams: CORP.upstreams.slice(1) },
    { hasAaaa: false },
    { cache: { ...CORP.cache, positiveMaxSeconds: 5 } },
    { refuse: ['secret.corp.example.'] },
    { aliases: [{ from: 'a.corp.example.', to: 'www.example.com.' }] },
  ]) {
    assert.deepEqual(await takenOver(t, BASE, corp(change)), others);
    assert.deepEqual(await takenOver(t, corp(change), BASE), others);
  }
});

test('a zone that is new or gone takes nothing over, nor does a name that is refused now or has a hosts entry', async (t) => {
  const without = { ...BASE, zones: BASE.zones.filter((zone) => zone !== CORP) };
  assert.deepEqual(await takenOver(t, BASE, without), [NAMES[0], NAMES[2]]);
  const refused = corp({ refuse: ['www.corp.example.'] });
  assert.deepEqual(await takenOver(t, refused, refused), [NAMES[0], NAMES[2]]);
  const hosts = [{ address: '192.0.2.7', names: ['www.corp.example.'] }];
  assert.deepEqual(await takenOver(t, BASE, corp({ hosts })), [NAMES[0], NAMES[2]]);
  const other = [{ address: '192.0.2.7', names: ['mail.corp.example.'] }];
  assert.deepEqual(await takenOver(t, BASE, corp({ hosts: other })), NAMES);
});
