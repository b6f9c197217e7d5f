import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, exchangeTcp, exchangeUdp } from '../client/ask.ts';
import { encodeName } from '../client/message.ts';
import { nsupdate } from '../client/nsupdate.ts';
import { Random } from '../fuzz/random.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { type DynamicZone, startDynamicZone } from '../servers/dynamic-zone.ts';
import { freePort } from '../servers/free-port.ts';
import { assertIdle } from '../servers/idle.ts';
import { skipWithout } from '../servers/programs.ts';
import { startSecondary } from '../servers/secondary.ts';
import { ScriptedServer } from '../unit/upstream/scripted-server.ts';

const NOWHERE = ['--cluster-dns', '127.0.0.1:1', '--upstream', '127.0.0.1:1'];
/** Another opcode than QUERY, or a type that only one server can answer. */
const OPCODES = [1, 2, 3, 4, 5, 6, 7, 9, 15];
const TYPES = [249, 250, 251, 252, 253, 254];

suite('messages that are passed on untouched', () => {
  let server: ScriptedServer;
  let agent: Agent;
  let reply: Buffer = Buffer.alloc(0);

  before(async () => {
    server = await ScriptedServer.start((received) => received.reply(reply));
    agent = await startAgent([...NOWHERE, '--route', `corp.example=${server.host}:${server.port}`]);
  });

  after(async () => {
    await assertIdle(agent);
    await Promise.all([agent.stop(), server.close()]);
  });

  for (const [over, exchange, longest] of [
    ['UDP', exchangeUdp, 2000],
    ['TCP', exchangeTcp, 65_000],
  ] as const) {
    test(`300 of them, made at random, pass over ${over} byte for byte, and so do their answers`, async () => {
      const random = new Random(20_261_122);
      for (let i = 0; i < 300; i++) {
        const query = randomMessage(random, random.below(longest - 100));
        reply = randomReply(random, query, random.below(longest));
        const found = await exchange(agent, query);
        assert.ok(found.equals(reply), `answer ${i}: ${reply.toString('hex')}`);
        // The agent's own probes are among what came.
        const received = server.received.filter((one) => one.query.equals(query));
        assert.equal(received.length, 1, `message ${i}: ${query.toString('hex')}`);
        assert.equal(received[0]!.overTcp, over === 'TCP');
      }
    });
  }
});

/** Of any opcode or type that is passed on, below corp.example; after the question anything goes where the opcode is another. */
function randomMessage(random: Random, length: number): Buffer {
  const opcode = random.below(2) === 0 ? random.pick(OPCODES) : 0;
  const head = Buffer.from([random.below(256), random.below(256), (opcode << 3) | random.below(8), random.below(256)]);
  const isOther = opcode !== 0;
  const counts = isOther ? Array.from({ length: 6 }, () => random.below(256)) : [0, 0, 0, 0, 0, 0];
  const name = encodeName(`${'x'.repeat(1 + random.below(60))}.CORP.example.`);
  const question = Buffer.from([0, isOther ? random.below(256) : random.pick(TYPES), 0, random.pick([1, 255])]);
  const rest = Buffer.from(Array.from({ length }, () => random.below(256)));
  return Buffer.concat([head, Buffer.from([0, 1, ...counts]), name, question, rest]);
}

/** The ID and QR make it an answer; all else is noise, but that a transfer's would go on if it were not refused. */
function randomReply(random: Random, query: Buffer, length: number): Buffer {
  const rest = Buffer.from(Array.from({ length: 12 + length }, () => random.below(256)));
  query.copy(rest, 0, 0, 2);
  rest[2]! |= 0x80;
  rest[3] = (rest[3]! & 0xf0) | 5;
  return rest;
}

suite('NOTIFY through the agent', { skip: skipWithout('named', 'nsupdate') }, () => {
  test('a change at the primary is notified to a secondary, fetched by it, and seen, all by way of agents', async (t) => {
    const key = `hmac-sha256:change:${Buffer.alloc(32, 'key').toString('base64')}`;
    const [algorithm, name, secret] = key.split(':');
    const zones = ['corp.example'] as const;
    const notifyPort = await freePort();
    const secondaryPort = await freePort();
    const primary: DynamicZone = await startDynamicZone({
      zones,
      records: [],
      keys: [`key "${name}" { algorithm ${algorithm}; secret "${secret}"; };`],
      statements: [
        `update-policy { grant "${name}" zonesub any; };`,
        'allow-transfer { any; };',
        `notify explicit; also-notify { 127.0.0.1 port ${notifyPort}; }; notify-delay 0;`,
      ],
    });
    t.after(() => primary.stop());
    const toPrimary = await startAgent([...NOWHERE, '--route', `corp.example=${primary.host}:${primary.port}`]);
    t.after(() => toPrimary.stop());
    const secondary = await startSecondary({ zone: zones[0], port: secondaryPort, primary: toPrimary });
    t.after(() => secondary.stop());
    const toSecondary = await startAgent([
      ...['--listen', `127.0.0.1:${notifyPort}`, ...NOWHERE],
      ...['--route', `corp.example=127.0.0.1:${secondaryPort}`],
    ]);
    t.after(() => toSecondary.stop());

    const look = () => ask(toSecondary, { name: 'new.corp.example', type: 'A' });
    assert.equal((await look()).rcode, 3);
    const lines = ['update add new.corp.example 300 A 192.0.2.1'];
    const flags = ['-y', key];
    assert.equal(await nsupdate({ server: primary, zone: zones[0], lines, flags }), 'NOERROR');
    // NXDOMAIN is kept for 30 s.
    for (let tries = 0; (await look()).answers.length === 0; tries++) {
      assert.ok(tries < 100, 'the change was never seen');
      await sleep(100);
    }
    const flushes = (await toSecondary.scrape()).sum('signpost_cache_flushes_total', { reason: 'notify' });
    assert.ok(flushes >= 1);
    assert.ok((await toPrimary.scrape()).sum('signpost_relays_total', { kind: 'transfer', outcome: 'answered' }) >= 1);
  });
});
