import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, frame, TcpClient } from '../client/ask.ts';
import { decodeMessage, encodeQuestion } from '../client/message.ts';
import { startAgent } from '../servers/agent.ts';
import { startCoreDns } from '../servers/coredns.ts';
import { assertIdle } from '../servers/idle.ts';
import { startLiar } from '../servers/liar.ts';
import { NAMED_PROGRAMS, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

const SLOW = 'slow.wild.example.test';

/** CoreDNS answers the queries of a TCP connection strictly one after the other. */
suite('a name that the cluster DNS is slow to answer', { skip: skipWithout('coredns', ...NAMED_PROGRAMS) }, () => {
  test('CoreDNS forwards it to a server that waits 4 s: the names that were asked after it do not wait', async (t) => {
    const named = await startNamed();
    const slow = await startLiar(named);
    slow.behave(({ send, truth }) => void sleep(4000).then(() => send(truth)));
    const coredns = await startCoreDns({
      readyName: 'one.example.test',
      corefile: (port) => `.:${port} {
  bind 127.0.0.1
  forward ${SLOW} ${slow.host}:${slow.port} {
    force_tcp
  }
  forward . ${named.host}:${named.port}
}
`,
    });
    const upstream = `tcp://${coredns.host}:${coredns.port}`;
    const agent = await startAgent([
      '--cluster-domain',
      'example.test',
      '--cluster-dns',
      upstream,
      '--upstream',
      upstream,
    ]);
    t.after(async () => {
      await agent.stop();
      await coredns.stop();
      slow.stop();
      await named.stop();
    });

    // What CoreDNS does by itself, or this test proves nothing: the second query of a connection waits for the first.
    const direct = await TcpClient.connect(coredns);
    direct.send(
      Buffer.concat([
        frame(encodeQuestion({ id: 1, name: SLOW, type: 'A' })),
        frame(encodeQuestion({ id: 2, name: 'one.example.test', type: 'A' })),
      ]),
    );
    assert.equal(decodeMessage(await direct.next()).id, 1);
    direct.close();

    for (let round = 0; round < 3; round++) {
      let isSlowAnswered = false;
      const slowReply = ask(agent, { name: SLOW, type: round === 0 ? 'A' : round === 1 ? 'TXT' : 'MX' }).finally(() => {
        isSlowAnswered = true;
      });
      await sleep(20);
      const names = Array.from({ length: 100 }, (_, at) => `${round}-${at}.wild.example.test`);
      const replies = await Promise.all(names.map((name) => ask(agent, { name, type: 'A' })));
      assert.equal(isSlowAnswered, false, 'the others came after the slow one');
      assert.deepEqual(new Set(replies.map((reply) => reply.rcode)), new Set([0]));
      for (let at = 0; at < 20; at++)
        assert.equal((await ask(agent, { name: `${round}-late-${at}.wild.example.test`, type: 'A' })).rcode, 0);
      assert.equal(isSlowAnswered, false, 'the others came after the slow one');
      await slowReply;
    }
    const metrics = await agent.scrape();
    assert.equal(metrics.count('coredns_dns_responses_total', { rcode: 'SERVFAIL', plugin: 'forward' }) <= 3, true);
    await assertIdle(agent);
  });
});
