import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { monotonicClock } from '../../../src/core/clock.ts';
import { CONNECTION_READ } from '../../../src/core/limits.ts';
import { TimerWheel } from '../../../src/core/timer-wheel.ts';
import { Exchange } from '../../../src/upstream/exchange.ts';
import { RandomIds } from '../../../src/upstream/random-ids.ts';
import { TcpConnection, type TcpConnectionOwner } from '../../../src/upstream/tcp-connection.ts';
import { encodeQuestion } from '../../client/message.ts';
import { until } from './asking.ts';
import { answerTo, framed } from './scripted-server.ts';

const MANY = 500;

class Question extends Exchange {
  constructor(name: string) {
    const message = encodeQuestion({ name, type: 'A', id: 0 });
    super(message, message.length, message.length);
  }

  override onReply(): void {}
  override onUnreachable(): void {}
  override onTimeout(): void {}
}

/** Notes what a connection tells. Nothing ever counts as slow. */
class Owner implements TcpConnectionOwner {
  readonly hedgeMs = 60_000;
  isOutOfOrder = false;
  /** First labels. */
  readonly replies: string[] = [];
  /** How many replies came in each turn of the loop. */
  readonly inTurns = [0];
  readonly closings: (string | undefined)[] = [];
  onFirst: () => void = () => {};

  hasMoved = (): boolean => false;
  onOpen = (): void => {};
  onBadReply = (): void => assert.fail('a bad reply');
  onStalled = (): void => assert.fail('stalled');
  onRefused = (): void => assert.fail('refused');
  onPause = (): void => assert.fail('paused');

  onReply(_exchange: Exchange, message: Uint8Array, start: number): void {
    const label = Buffer.from(message).toString('latin1', start + 13, start + 13 + message[start + 12]!);
    if (this.replies.push(label) === 1) this.onFirst();
    this.inTurns[this.inTurns.length - 1]!++;
  }

  onClosed(_connection: TcpConnection, reason: string | undefined): void {
    this.closings.push(reason);
  }
}

/** A connection that has asked `n0`, `n1` and so on of a server that answers all of them in one piece, `give` says how. */
async function scene(t: TestContext, give: (socket: Socket, replies: Buffer) => void) {
  const server = createServer((socket) => {
    let rest = Buffer.alloc(0);
    const replies: Buffer[] = [];
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const query = rest.subarray(2, 2 + rest.readUInt16BE(0));
        rest = rest.subarray(2 + query.length);
        replies.push(framed(answerTo(query)));
      }
      if (replies.length === MANY) give(socket, Buffer.concat(replies));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const owner = new Owner();
  const clock = monotonicClock;
  const wheel = new TimerWheel({ clock });
  const limits = { connectMs: 60_000, silentMs: 60_000, maxAgeMs: 60_000 };
  const address = { host: '127.0.0.1', port, transport: 'tcp' as const };
  const connection = new TcpConnection({
    address,
    memory: undefined,
    owner,
    clock,
    wheel,
    ids: new RandomIds(),
    ...limits,
  });
  let isOver = false;
  const onTurn = (): void => {
    owner.inTurns.push(0);
    if (!isOver) setImmediate(onTurn);
  };
  t.after(() => {
    isOver = true;
    connection.close();
    server.close();
  });
  for (const name of names) assert.ok(connection.send(new Question(`${name}.test`), clock.nowMs()));
  setImmediate(onTurn);
  return { owner, connection };
}

const names = Array.from({ length: MANY }, (_, index) => `n${index}`);

test('of replies that come in one piece no more are read in a turn of the loop than fit the buffer, in their order', async (t) => {
  const hitsBefore = CONNECTION_READ.hits;
  let shortest = 0;
  const { owner, connection } = await scene(t, (socket, replies) => {
    shortest = 2 + replies.readUInt16BE(0);
    socket.write(replies);
  });
  await until('all have come', () => owner.replies.length >= MANY);
  assert.deepEqual(owner.replies, names);
  const most = Math.ceil(CONNECTION_READ.value / shortest) + 1;
  assert.ok(Math.max(...owner.inTurns) <= most, `${Math.max(...owner.inTurns)} in a turn, and ${most} fit`);
  assert.ok(CONNECTION_READ.hits > hitsBefore);
  assert.equal(connection.pending.size, 0);
  assert.equal(connection.state, 'open');
});

test('a server that closes right behind its replies has given all of them', async (t) => {
  const { owner, connection } = await scene(t, (socket, replies) => void socket.end(replies));
  await until('it is closed', () => connection.state === 'closed');
  assert.deepEqual(owner.replies, names);
  assert.deepEqual(owner.closings, ['closed by the server']);
});

test('after a reset, what was not read is still owed, and nothing counts twice', async (t) => {
  const { owner, connection } = await scene(t, (socket, replies) => {
    socket.write(replies);
    owner.onFirst = () => void socket.resetAndDestroy();
  });
  await until('it is closed', () => connection.state === 'closed');
  assert.deepEqual(owner.replies, names.slice(0, owner.replies.length));
  assert.equal(connection.pending.size, MANY - owner.replies.length);
  assert.equal(owner.closings.length, 1);
});

test('closed by us while replies wait to be read, it reads no more of them', async (t) => {
  const { owner, connection } = await scene(t, (socket, replies) => void socket.write(replies));
  owner.onFirst = () => connection.close();
  await until('it is closed', () => connection.state === 'closed');
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(owner.replies, ['n0']);
  assert.equal(connection.pending.size, MANY - 1);
  assert.deepEqual(owner.closings, [undefined]);
});

test('draining, it closes with the last of the replies that wait to be read', async (t) => {
  const { owner, connection } = await scene(t, (socket, replies) => void socket.write(replies));
  owner.onFirst = () => connection.drain();
  await until('it is closed', () => connection.state === 'closed');
  assert.deepEqual(owner.replies, names);
});
