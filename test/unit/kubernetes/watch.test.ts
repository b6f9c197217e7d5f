import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../../src/core/clock.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { ApiClient } from '../../../src/kubernetes/api-client.ts';
import { Backoff } from '../../../src/kubernetes/backoff.ts';
import { Collection } from '../../../src/kubernetes/collection.ts';
import { Watch, type WatchParts } from '../../../src/kubernetes/watch.ts';
import {
  type Script,
  type ScriptedAnswer,
  ScriptedApi,
  type ScriptedObject,
  scripted,
} from '../../servers/scripted-api.ts';

const A = scripted('a', '3');
const B = scripted('b', '5');

interface House {
  readonly api: ScriptedApi;
  readonly watch: Watch<ScriptedObject>;
  /** What is known, as `name=value`, in order. */
  known(): string;
  /** Level and message of what was logged. */
  readonly lines: string[];
  until(what: string, isSo: () => boolean): Promise<void>;
  /** What was asked, each as its kind and the version that it began at. */
  asked(): string[];
}

async function house(t: TestContext, script: Script, options: Partial<WatchParts> = {}): Promise<House> {
  const api = await ScriptedApi.open(script);
  const client = new ApiClient({ server: api.url, isInsecure: false, origin: 'a test', credentials: async () => ({}) });
  const lines: string[] = [];
  const write = (level: string) => (_fields: object, message: string) => void lines.push(`${level} ${message}`);
  const log: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const things = new Collection<ScriptedObject, string>({
    read: ({ metadata, value }) => `${metadata.name}=${value}`,
    onChange() {},
  });
  const backoff = new Backoff({ firstMs: 2, mostMs: 10 });
  const kind = { resource: 'things', path: '/api/v1/things', labelSelector: 'of=us' };
  const parts = { client, clock: monotonicClock, log, purpose: 'the test', backoff, ...options };
  const watch = new Watch<ScriptedObject>(kind, things, parts);
  t.after(async () => {
    watch.close();
    await client.close();
    await api.close();
  });
  watch.start();
  const known = (): string => [...things.values()].sort().join(' ');
  const asked = (): string[] => api.requests.map(({ kind, query }) => `${kind} ${query.get('resourceVersion')}`);
  async function until(what: string, isSo: () => boolean): Promise<void> {
    for (let tries = 0; !isSo(); tries++) {
      if (tries > 2000) assert.fail(`not ${what}: known ${known()}; asked ${asked()}; ${lines}; ${watch.trouble}`);
      await sleep(5);
    }
  }
  return { api, watch, known, lines, until, asked };
}

/** Lists `items` where that is asked, by either way, and leaves watches open. */
function lists(
  version: string,
  items: readonly ScriptedObject[],
  onWatch: (answer: ScriptedAnswer) => void = () => {},
): Script {
  return ({ kind }, answer) => {
    if (kind === 'first watch') onWatch(answer.initial(version, items));
    else if (kind === 'list') answer.list(version, items);
    else onWatch(answer.begin());
  };
}

test('one request gives what there is and then what changes', async (t) => {
  let open: ScriptedAnswer | undefined;
  const { api, watch, known, until, lines } = await house(
    t,
    lists('9', [A, B], (answer) => (open = answer)),
  );
  await until('listed', () => watch.isListed);
  assert.equal(known(), 'a=a b=b');
  assert.equal(watch.staleMs, 0);
  open!
    .event('MODIFIED', scripted('a', '10', 'new'))
    .event('DELETED', scripted('b', '11'))
    .event('ADDED', scripted('c', '12'));
  await until('changed', () => known() === 'a=new c=c');
  assert.equal(api.requests.length, 1);
  const [{ path, query, headers }] = api.requests as [(typeof api.requests)[0]];
  assert.equal(path, '/api/v1/things');
  assert.equal(query.get('labelSelector'), 'of=us');
  assert.equal(query.get('allowWatchBookmarks'), 'true');
  assert.equal(headers.accept, 'application/json');
  assert.deepEqual(lines, []);
});

test('a server that knows no streamed lists is asked for a plain one, and nobody is told', async (t) => {
  const plain = lists('9', [A, B]);
  const { watch, known, until, asked, lines } = await house(t, (request, answer) => {
    if (request.kind === 'first watch') answer.refuse(422, { reason: 'Invalid' });
    else plain(request, answer);
  });
  await until('listed', () => watch.staleMs === 0);
  assert.equal(known(), 'a=a b=b');
  assert.deepEqual(asked(), ['first watch 0', 'list 0', 'watch 9']);
  assert.deepEqual(lines, []);
});

test('a server that takes a streamed list for a watch and never ends it is asked for a plain one', async (t) => {
  const plain = lists('9', [A]);
  const script: Script = (request, answer) => {
    if (request.kind === 'first watch') answer.event('ADDED', B);
    else plain(request, answer);
  };
  const { watch, known, until, asked } = await house(t, script, { streamedListMs: 20 });
  await until('listed', () => watch.staleMs === 0);
  assert.equal(known(), 'a=a');
  assert.deepEqual(asked(), ['first watch 0', 'list 0', 'watch 9']);
  assert.equal(watch.errors.size, 0);
});

test('a watch that the server ends goes on where it ended, without a list', async (t) => {
  let ends = 0;
  const { watch, known, until, asked } = await house(
    t,
    lists('9', [A], (answer) => {
      if (ends++ === 0) answer.bookmark('20').end();
      else if (ends === 2) answer.event('ADDED', scripted('b', '21')).end();
    }),
  );
  await until('at the third watch', () => asked().length === 3);
  assert.deepEqual(asked(), ['first watch 0', 'watch 20', 'watch 21']);
  assert.equal(known(), 'a=a b=b');
  assert.equal(watch.lists, 1);
  assert.equal(watch.trouble, undefined);
});

for (const [how, expire] of [
  ['by an event', (answer: ScriptedAnswer) => answer.event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' })],
  ['at once', (answer: ScriptedAnswer) => answer.refuse(410, { reason: 'Expired' })],
] as const) {
  test(`a version that is no longer kept (said ${how}) leads to a new list, which is no older`, async (t) => {
    let isGone = false;
    const { known, until, asked } = await house(t, ({ kind }, answer) => {
      if (kind === 'first watch' && !isGone) return answer.initial('9', [A, B]).end();
      if (kind === 'first watch') return void answer.initial('30', [scripted('b', '25', 'new')]);
      isGone = true;
      expire(answer);
    });
    await until('listed again', () => known() === 'b=new');
    assert.deepEqual(asked(), ['first watch 0', 'watch 9', 'first watch 9']);
  });
}

test('what is known stays in force while a new list comes', async (t) => {
  let second: ScriptedAnswer | undefined;
  const { watch, known, until } = await house(t, ({ kind }, answer) => {
    if (kind === 'watch') answer.refuse(410);
    else if (second === undefined && watchOf().isListed) second = answer.event('ADDED', scripted('c', '30'));
    else answer.initial('9', [A, B]).end();
  });
  function watchOf(): Watch<ScriptedObject> {
    return watch;
  }
  await until('listing again', () => second !== undefined);
  assert.equal(known(), 'a=a b=b');
  second!
    .bookmark('31')
    .event('BOOKMARK', { metadata: { resourceVersion: '31', annotations: { 'k8s.io/initial-events-end': 'true' } } });
  await until('listed', () => known() === 'c=c');
});

test('a server that has not come to the version that was seen is asked for what it has', async (t) => {
  const { known, until, asked } = await house(t, ({ kind, query }, answer) => {
    if (kind === 'watch') return answer.refuse(410);
    const version = query.get('resourceVersion');
    if (version === '9') return answer.refuse(504, { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } });
    if (asked().length === 1) return answer.initial('9', [A, B]).end();
    answer.initial('4', [A]);
  });
  await until('listed again', () => known() === 'a=a');
  assert.deepEqual(asked(), ['first watch 0', 'watch 9', 'first watch 9', 'first watch 0']);
});

test('what is forbidden is said once and tried again, and works when it is allowed', async (t) => {
  const { api, watch, known, lines, until } = await house(t, (_request, answer) => answer.refuse(403));
  await until('tried often', () => api.requests.length > 5);
  assert.equal(watch.trouble!.code, 'ERR_KUBERNETES_FORBIDDEN');
  assert.match(watch.trouble!.message, /^Cannot watch things: the API server answers 403: refused with 403$/);
  assert.equal(watch.staleMs, undefined);
  assert.deepEqual(lines, ['warn the Kubernetes API is not followed; it is for the test']);
  api.script = lists('9', [A]);
  await until('listed', () => watch.staleMs === 0);
  assert.equal(known(), 'a=a');
  assert.equal(watch.trouble, undefined);
  assert.deepEqual(lines.slice(1), ['info the Kubernetes API is followed again: the test']);
  assert.ok(watch.errors.get('forbidden')! > 5);
});

test('a connection that breaks off ends nothing: it goes on from the version seen last', async (t) => {
  const { api, watch, known, until, asked } = await house(t, lists('9', [A, B]));
  await until('listed', () => watch.staleMs === 0);
  api.breakConnections();
  await until('following again', () => asked().length === 2 && watch.staleMs === 0);
  assert.deepEqual(asked(), ['first watch 0', 'watch 9']);
  assert.equal(known(), 'a=a b=b');
});

test('a server that says nothing is asked where it is, and waited for where it has come no less far', async (t) => {
  const script: Script = (request, answer) => {
    if (request.kind === 'get') return answer.object({ metadata: { resourceVersion: '9' } });
    lists('9', [A])(request, answer);
  };
  const { until, asked, watch } = await house(t, script, { silentMs: 50 });
  await until('asked again and again', () => asked().length >= 4);
  assert.deepEqual(asked().slice(0, 4), ['first watch 0', 'get null', 'get null', 'get null']);
  assert.equal(watch.isFollowing, true);
});

test('a server that says nothing and hangs is left, and asked again from the version seen last', async (t) => {
  const script: Script = (request, answer) => {
    if (request.kind === 'get') return answer.refuse(503);
    lists('9', [A])(request, answer);
  };
  const { until, asked, watch } = await house(t, script, { silentMs: 50 });
  await until('asked again', () => asked().length >= 4);
  assert.deepEqual(asked().slice(0, 4), ['first watch 0', 'get null', 'watch 9', 'get null']);
  assert.ok(watch.errors.get('busy')! >= 1);
});

test('a server that was set back to an older version, and so sends nothing, is asked for all that there is', async (t) => {
  const script: Script = ({ kind, query }, answer) => {
    if (kind === 'get') return answer.object({ metadata: { resourceVersion: '4' } });
    if (kind === 'watch') return void answer.begin();
    const version = query.get('resourceVersion');
    if (asked().length === 1) return answer.initial('9', [A, B]).end();
    if (version === '9') return answer.refuse(504, { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } });
    answer.initial('4', [A]);
  };
  const { known, until, asked } = await house(t, script, { silentMs: 50 });
  await until('listed again', () => known() === 'a=a');
  assert.deepEqual(asked().slice(0, 5), ['first watch 0', 'watch 9', 'get null', 'first watch 9', 'first watch 0']);
});

test('a server that ends each watch at once is in trouble, and it is said once', async (t) => {
  const { watch, until, asked, lines } = await house(
    t,
    lists('9', [A], (answer) => answer.end()),
    { quietMs: 600_000 },
  );
  await until('in trouble', () => watch.trouble !== undefined);
  assert.equal(watch.trouble!.message, 'Cannot watch things: the server ends each watch at once');
  const count = asked().length;
  await until('asked on', () => asked().length > count + 3);
  assert.equal(lines.filter((line) => line.startsWith('warn')).length, 1);
});

test('an answer that is no JSON, or ends early, changes nothing of what is known', async (t) => {
  const bad = [
    '}',
    '{"type":"ADDED","object":',
    '<html>',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":{}}',
    'null',
    '{}',
  ];
  const { known, until, asked } = await house(t, ({ kind }, answer) => {
    if (kind !== 'watch') return answer.initial('9', [A]).end();
    const text = bad[asked().length - 2];
    if (text === undefined) answer.event('MODIFIED', scripted('a', '10', 'new'));
    else answer.text(text).end();
  });
  await until('through all of them', () => known() === 'a=new');
  assert.equal(asked().filter((line) => line === 'watch 9').length, bad.length + 1);
});

test('a list that breaks off in the middle is not taken for all', async (t) => {
  let lists = 0;
  const { known, until, watch } = await house(t, ({ kind }, answer) => {
    if (kind === 'first watch') return answer.refuse(422);
    if (kind === 'watch') return lists === 1 ? answer.refuse(410) : void answer.begin();
    lists++;
    if (lists === 2)
      return answer
        .text('{"metadata":{"resourceVersion":"10"},"items":[{"metadata":{"name":"b","namespace":"tests"}}')
        .end();
    answer.list(lists === 1 ? '9' : '11', lists === 1 ? [A, B] : [A]);
    if (lists === 3) assert.equal(known(), 'a=a b=b');
  });
  await until('listed whole', () => known() === 'a=a' && watch.staleMs === 0);
  assert.equal(lists, 3);
});
