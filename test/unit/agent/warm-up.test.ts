import { test } from 'node:test';
import { warmUp } from '../../../src/agent/warm-up.ts';
import type { Ask, Asker } from '../../../src/upstream/ask.ts';

function asker(onAsk: (ask: Ask) => void): Asker {
  return { ask: onAsk } as Asker;
}

test('the zones of the moment are asked, again until one answers', async () => {
  const answered = Promise.withResolvers<void>();
  const silent = asker(() => {});
  const later = asker((ask) => {
    ask.onAnswer(new Uint8Array(12), 0, 12, { label: 'later' });
    answered.resolve();
  });
  let zones = new Map([['.', silent]]);
  const alive = setInterval(() => {}, 1000);
  const end = warmUp(() => zones.values());
  zones = new Map([['.', later]]);
  await answered.promise;
  end();
  clearInterval(alive);
});
