import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { monotonicClock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/logger.ts';
import { UdpOpener } from '../../src/listen/udp-opener.ts';
import { TrafficTable } from '../../src/metrics/traffic-table.ts';
import { ZoneIds } from '../../src/metrics/zone-ids.ts';
import { EchoResponder, LOOPBACK, query, until } from '../unit/listen/setup.ts';

// Run by udp-segmentation.test.ts in a network of its own. Argument: whether its loopback takes answers in one piece.
const isTaken = process.argv[2] === 'taken';
/** No piece may be longer than what the interface takes in one packet; alone a datagram is fragmented. */
const NAME = `now.${'a-rather-long-label.'.repeat(5)}test`;

const lines: string[] = [];
const note = (_fields: object, line: string): void => void lines.push(line);
const log: Logger = { debug: note, info: note, warn: note, error: note };
const opener = await UdpOpener.choose(log, ['batched']);
const responder = new EchoResponder();
const listener = await opener.open(LOOPBACK, {
  responder,
  log,
  clock: monotonicClock,
  traffics: new TrafficTable(new ZoneIds()),
});
const client = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
client.connect(listener.address.port, listener.address.host);
await once(client, 'connect');
const ids = new Set<number>();
client.on('message', (reply) => ids.add(reply.readUInt16BE(0)));
for (let round = 1; round <= 3; round++) {
  for (let id = 0; id < 64; id++) client.send(query(NAME, round * 64 + id));
  await until('all are answered', () => ids.size === round * 64);
}
assert.equal(responder.answered, 3 * 64);
assert.equal(listener.sendErrors, 0);
assert.equal(listener.segmented > 0, isTaken, `${listener.segmented} left together with others`);
assert.equal(lines.length, isTaken ? 0 : 1, lines.join('; '));
client.close();
await listener.finish();
