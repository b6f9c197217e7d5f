import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, frame, type Server, TcpClient } from '../client/ask.ts';
import { encodeName, encodeQuestion } from '../client/message.ts';
import { nsupdate } from '../client/nsupdate.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { run } from '../servers/child.ts';
import { type DynamicZone, startDynamicZone } from '../servers/dynamic-zone.ts';
import { assertIdle } from '../servers/idle.ts';
import { program, skipWithout } from '../servers/programs.ts';

const ZONE = 'large.example';
const RECORDS = 200_000;
const KEY = `hmac-sha256:transfer:${Buffer.alloc(32, 'key').toString('base64')}`;
/** What the agent may come to have more than before: a few messages of each transfer, and garbage that is not collected yet. The zone has 9 MB. */
const MOST_GROWTH_MIB = 32;

suite('zone transfers through the agent, from BIND, of 200,000 records', {
  skip: skipWithout('named', 'dig', 'nsupdate'),
}, () => {
  let zone: DynamicZone;
  let agent: Agent;

  before(async () => {
    const [algorithm, name, secret] = KEY.split(':');
    zone = await startDynamicZone({
      zones: [ZONE],
      records: Array.from({ length: RECORDS }, (_, i) => `host-${i} A 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`),
      keys: [`key "${name}" { algorithm ${algorithm}; secret "${secret}"; };`],
      statements: [
        `update-policy { grant "${name}" zonesub any; };`,
        'allow-transfer { any; };',
        'ixfr-from-differences yes;',
      ],
      options: ['transfers-out 100;', 'max-journal-size unlimited;'],
    });
    agent = await startAgent([
      ...['--cluster-dns', '127.0.0.1:1', '--upstream', '127.0.0.1:1'],
      ...['--route', `${ZONE}=${zone.host}:${zone.port}`],
    ]);
  });

  after(async () => {
    await assertIdle(agent);
    await Promise.all([agent.stop(), zone.stop()]);
  });

  for (const signed of [[], ['-y', KEY]]) {
    test(`AXFR, ${signed.length === 0 ? 'unsigned' : 'signed'}, is the same record by record, and the agent keeps none of it`, async () => {
      const direct = await transfer(zone, 'AXFR', signed);
      assert.equal(direct.length, RECORDS + 3);
      const before = residentMiB(agent);
      let most = before;
      const watch = setInterval(() => {
        most = Math.max(most, residentMiB(agent));
      }, 5);
      for (let i = 0; i < 3; i++) assert.ok(isSame(await transfer(agent, 'AXFR', signed), direct));
      clearInterval(watch);
      assert.ok(most - before < MOST_GROWTH_MIB, `from ${before} to ${most} MiB`);
    });
  }

  test('IXFR is the same record by record: nothing new, a few changes, many, and the whole zone', async () => {
    const serials = [await serialOf(zone)];
    for (const count of [1, 2000]) {
      const lines = Array.from({ length: count }, (_, i) => `update add new-${count}-${i}.${ZONE} 60 A 192.0.2.1`);
      const flags = ['-v', '-y', KEY];
      assert.equal(
        await nsupdate({ server: agent, zone: ZONE, lines: [`update delete host-${count}.${ZONE}`, ...lines], flags }),
        'NOERROR',
      );
      serials.push(await serialOf(zone));
    }
    for (const signed of [[], ['-y', KEY]]) {
      for (const serial of [...serials, serials[2]! + 5, 0]) {
        const direct = await transfer(zone, `IXFR=${serial}`, signed);
        assert.ok(isSame(await transfer(agent, `IXFR=${serial}`, signed), direct), `from ${serial}`);
      }
    }
  });

  test('IXFR over UDP is one datagram, as the server gave it', async () => {
    const asked = `IXFR=${await serialOf(zone)}`;
    assert.deepEqual(
      await dig(agent, ['+noall', '+answer', '+notcp', ZONE, asked]),
      await dig(zone, ['+noall', '+answer', '+notcp', ZONE, asked]),
    );
  });

  test('a refused transfer is over at once', async () => {
    const client = await TcpClient.connect(agent);
    client.send(frame(axfr(1, 'nothing.large.example')));
    assert.equal((await client.next())[3]! & 15, 9);
    client.close();
  });

  test('clients that take nothing hold up the server, not the agent: it does not grow, and it answers others', async () => {
    const before = residentMiB(agent);
    const clients = await Promise.all(Array.from({ length: 12 }, () => TcpClient.connect(agent)));
    for (const client of clients) {
      client.socket.pause();
      client.send(frame(axfr(1)));
    }
    await open(agent, 12);
    for (let i = 0; i < 20; i++) {
      assert.equal((await ask(agent, { name: `host-${100 + i}.${ZONE}`, type: 'A' })).answers.length, 1);
      await sleep(50);
    }
    const during = residentMiB(agent);
    assert.ok(during - before < MOST_GROWTH_MIB, `from ${before} to ${during} MiB`);
    await open(agent, 12);
    // They go on where they stood, to the end.
    const messages = await Promise.all(clients.slice(0, 2).map(readTransfer));
    assert.equal(messages[0], messages[1]);
    for (const client of clients) client.close();
    await open(agent, 0);
  });

  test('the other questions of a connection are answered before its transfer is over', async () => {
    await ask(agent, { name: `host-7.${ZONE}`, type: 'A' });
    const client = await TcpClient.connect(agent);
    client.send(Buffer.concat([frame(axfr(1)), frame(encodeQuestion({ id: 2, name: `host-7.${ZONE}`, type: 'A' }))]));
    assert.equal((await client.next()).readUInt16BE(0), 2);
    assert.equal((await client.next()).readUInt16BE(0), 1);
    client.close();
    await open(agent, 0);
  });

  test('a client that leaves in the middle ends the transfer at the server too', async () => {
    const left = async () => (await agent.scrape()).sum('signpost_relays_total', { outcome: 'client-gone' });
    const before = await left();
    const client = await TcpClient.connect(agent);
    client.socket.pause();
    client.send(frame(axfr(1)));
    await open(agent, 1);
    client.close();
    await open(agent, 0);
    assert.equal(await left(), before + 1);
  });

  test('eight transfers at once are whole, and ordinary questions are answered meanwhile', async () => {
    const transfers = Array.from({ length: 8 }, async () => {
      const client = await TcpClient.connect(agent);
      client.send(frame(axfr(1)));
      const messages = await readTransfer(client);
      client.close();
      return messages;
    });
    let isOver = false;
    const all = Promise.all(transfers).finally(() => {
      isOver = true;
    });
    for (let i = 100; !isOver || i < 200; i++) {
      assert.equal((await ask(agent, { name: `host-${i % RECORDS}.${ZONE}`, type: 'A' })).rcode, 0);
    }
    assert.equal(new Set(await all).size, 1);
  });

  test('a server that dies in the middle: the client is told so in place of the rest, and its connection lives on', async (t) => {
    const client = await TcpClient.connect(agent);
    t.after(() => client.close());
    client.socket.pause();
    client.send(frame(axfr(1)));
    await open(agent, 1);
    await zone.stop();
    client.socket.resume();
    let last = await client.next();
    while ((last[3]! & 15) === 0) last = await client.next();
    assert.deepEqual([last.readUInt16BE(0), last[3]! & 15], [1, 2]);
    client.send(frame(encodeQuestion({ id: 3, name: 'localhost', type: 'A' })));
    assert.equal((await client.next()).readUInt16BE(0), 3);
  });
});

function axfr(id: number, zone = ZONE): Buffer {
  const head = Buffer.from([id >> 8, id & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, encodeName(`${zone}.`), Buffer.from([0, 252, 0, 1])]);
}

/** Reads a transfer to its end, the second SOA; what came in all, as a number to compare with. */
async function readTransfer(client: TcpClient): Promise<number> {
  client.socket.resume();
  let sum = 0;
  for (let isLast = false, count = 0; !isLast; count++) {
    const message = await client.next(30_000);
    sum += message.length;
    isLast = count > 0 && lastType(message) === 6;
  }
  return sum;
}

/** The type of the last record of a message's answers. */
function lastType(message: Buffer): number {
  const answers = message.readUInt16BE(6);
  let at = 12;
  const skipName = (): void => {
    while (message[at]! !== 0 && message[at]! < 0xc0) at += 1 + message[at]!;
    at += message[at] === 0 ? 1 : 2;
  };
  for (let i = message.readUInt16BE(4); i > 0; i--) {
    skipName();
    at += 4;
  }
  let type = 0;
  for (let i = 0; i < answers; i++) {
    skipName();
    type = message.readUInt16BE(at);
    at += 10 + message.readUInt16BE(at + 8);
  }
  return type;
}

/** Records of a transfer as dig prints them, verified by it where it is signed. */
async function transfer(server: Server, type: string, signed: readonly string[]): Promise<string[]> {
  const lines = await dig(server, ['+noall', '+answer', '+onesoa', '+tcp', ...signed, ZONE, type]);
  const troubles = lines.filter((line) => line.startsWith(';') || line.includes('TSIG'));
  assert.deepEqual(
    troubles.filter((line) => /fail|verif|error/i.test(line)),
    [],
  );
  return lines.filter((line) => line !== '' && !line.startsWith(';') && !line.includes('TSIG'));
}

async function dig(server: Server, args: readonly string[]): Promise<string[]> {
  const { stdout } = await run(program('dig'), [
    `@${server.host}`,
    '-p',
    `${server.port}`,
    '+tries=1',
    '+time=30',
    ...args,
  ]);
  return stdout.split('\n').filter((line) => !/^;; (?:Query time|WHEN|SERVER|MSG SIZE)/.test(line));
}

/** `assert.deepEqual` of so many lines takes minutes to say what is wrong. */
function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}

async function serialOf(server: Server): Promise<number> {
  const { answers } = await ask(server, { name: ZONE, type: 'SOA' });
  return Buffer.from(answers[0]!.data, 'hex').readUInt32BE(answers[0]!.data.length / 2 - 20);
}

function residentMiB(agent: Agent): number {
  const status = readFileSync(`/proc/${agent.child.pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1024;
}

/** Waits until so many transfers are under way. */
async function open(agent: Agent, count: number): Promise<void> {
  const isSo = async () => (await agent.scrape()).sum('signpost_relays_open', { kind: 'transfer' }) === count;
  for (let tries = 0; tries < 500; tries++) {
    if (await isSo()) return;
    await sleep(20);
  }
  assert.fail(`never ${count} transfers`);
}
