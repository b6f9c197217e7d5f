import { monotonicClock } from '../../../src/core/clock.ts';
import { TimerWheel } from '../../../src/core/timer-wheel.ts';
import { Listeners } from '../../../src/listen/listeners.ts';
import { TrafficTable } from '../../../src/metrics/traffic-table.ts';
import { ZoneIds } from '../../../src/metrics/zone-ids.ts';
import { EchoResponder } from './setup.ts';

// Run by listeners.test.ts without the right to do this: says what came of it.
const clock = monotonicClock;
const responder = new EchoResponder();
const traffics = new TrafficTable(new ZoneIds());
const parts = { clock, responder, traffics, wheel: new TimerWheel({ clock }) };
const outcome = await Listeners.open([{ host: '127.0.0.9', port: 1 }], parts).then(
  () => 'opened',
  (error) => `${error.code} ${error.message}`,
);
process.stdout.write(outcome, () => process.exit());
