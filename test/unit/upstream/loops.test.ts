import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../../src/core/logger.ts';
import { TimerWheel } from '../../../src/core/timer-wheel.ts';
import type { LoopProbe } from '../../../src/upstream/loop-probe.ts';
import { LoopNames } from '../../../src/upstream/loop-probe.ts';
import { Loops } from '../../../src/upstream/loops.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';
import { nameFromText, nameToText } from '../../../src/wire/name.ts';
import { FakeClock } from '../../fake-clock.ts';

/** What a network does with a probe: it comes back to the agent, is answered by whoever is there, or is lost. */
type Fate = 'returns' | 'answered' | 'lost';

class Way {
  readonly name: string;
  readonly probes: LoopProbe[] = [];
  fate: Fate = 'answered';
  isDown = false;
  onProbe: (probe: LoopProbe, fate: Fate) => void = () => {};

  constructor(name: string) {
    this.name = name;
  }

  ask(probe: LoopProbe): boolean {
    this.probes.push(probe);
    this.onProbe(probe, this.fate);
    return true;
  }
}

function scene(zones: Readonly<Record<string, readonly string[]>>) {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock, arm: () => {} });
  const slowWheel = new TimerWheel({ clock, tickMs: 50, arm: () => {} });
  const lines: string[] = [];
  const note = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log = { ...silentLogger, info: note, warn: note };
  const loops = new Loops({ clock, wheel, slowWheel, log, random: () => 0.5 });
  const ways = new Map<string, Way>();
  const wayTo = (label: string): Way => {
    const way = ways.get(label) ?? new Way(label);
    ways.set(label, way);
    way.onProbe = (probe, fate) => {
      if (fate === 'lost') return;
      if (fate === 'returns') assert.equal(loops.catch(probe.message, 12), true);
      probe.onReply();
    };
    return way;
  };
  const forwardersOf = (named: Readonly<Record<string, readonly string[]>>) =>
    new Map(
      Object.entries(named).map(([zone, labels]) => {
        const upstreams = labels.map(wayTo) as unknown as readonly Upstream[];
        return [zone, { selection: { upstreams, looped: new Set<Upstream>() } }];
      }),
    ) as unknown as Parameters<Loops['watch']>[0];
  const pass = (ms: number): void => {
    for (let i = 0; i < ms; i += 50) {
      clock.advance(50);
      wheel.advance();
      slowWheel.advance();
    }
  };
  const watch = (named: Readonly<Record<string, readonly string[]>>) => {
    const forwarders = forwardersOf(named);
    loops.watch(forwarders);
    return forwarders;
  };
  /** A zone uses these from now on, and none of them before. */
  const replace = (forwarders: ReturnType<typeof watch>, zone: string, ...labels: string[]) => {
    const upstreams = labels.map((label) => wayTo(label) as unknown as Upstream);
    Object.assign(forwarders.get(zone)!.selection, { upstreams });
    loops.watchNew(upstreams.map((upstream) => ({ zone, upstream })));
  };
  return { loops, lines, wayTo, pass, watch, replace, forwarders: watch(zones) };
}

test('names are our own, each another one, in any case and below every zone that leaves room', () => {
  const names = new LoopNames();
  for (const zone of ['.', 'cluster.local.', '10.in-addr.arpa.']) {
    const number = names.next();
    const name = names.name(number, zone)!;
    assert.ok(nameToText(name, 0).endsWith(zone === '.' ? '.' : `.${zone}`));
    assert.equal(names.numberOf(name, 0), number);
    const upper = nameFromText(nameToText(name, 0).toUpperCase())!;
    assert.equal(names.numberOf(upper, 0), number);
  }
  assert.equal(names.name(names.next(), `${'a.'.repeat(120)}`), undefined);
});

test("other names, and another agent's probes, are not taken for ours", () => {
  const names = new LoopNames();
  const foreign = new LoopNames();
  const ours = names.name(names.next(), '.')!;
  for (let end = 0; end < ours.length; end++)
    assert.equal(names.numberOf(ours.subarray(0, end), 0) > 0, end > ours.length - 2);
  assert.equal(names.numberOf(foreign.name(foreign.next(), '.')!, 0), 0);
  for (const text of ['.', 'www.example.', `${'x'.repeat(ours[0]!)}.`])
    assert.equal(names.numberOf(nameFromText(text)!, 0), 0);
});

test('each upstream is asked once for each of its zones, soon after the start and then rarely', () => {
  const { wayTo, pass } = scene({ 'cluster.local.': ['a'], '.': ['b', 'c'], 'corp.test.': ['a'] });
  pass(3000);
  assert.deepEqual(
    ['a', 'b', 'c'].map((label) => wayTo(label).probes.length),
    [2, 1, 1],
  );
  pass(300_000);
  assert.equal(wayTo('b').probes.length, 1);
  pass(500_000);
  assert.equal(wayTo('b').probes.length, 2);
});

test('one that leads back is not asked for that zone, is said once, and is asked again after three clean answers', () => {
  const { wayTo, pass, forwarders, loops, lines } = scene({ 'in-addr.arpa.': ['a'], '.': ['b'] });
  wayTo('a').fate = 'returns';
  pass(3000);
  const { looped } = forwarders.get('in-addr.arpa.')!.selection;
  assert.equal(looped.size, 1);
  assert.equal(forwarders.get('.')!.selection.looped.size, 0);
  pass(60_000);
  assert.equal(lines.length, 1);
  assert.deepEqual(
    loops.found.map(({ zone }) => zone),
    ['in-addr.arpa.'],
  );
  wayTo('a').fate = 'lost';
  pass(60_000);
  assert.equal(looped.size, 1);
  wayTo('a').fate = 'answered';
  pass(9000);
  assert.equal(looped.size, 1);
  pass(10_000);
  assert.equal(looped.size, 0);
  assert.equal(lines.length, 2);
  assert.deepEqual(loops.found, []);
});

test('one that only sometimes leads back stays a loop', () => {
  const { wayTo, pass, forwarders, lines } = scene({ '.': ['a'] });
  const way = wayTo('a');
  way.fate = 'returns';
  pass(3000);
  for (let i = 0; i < 20; i++) {
    way.fate = i % 3 === 2 ? 'returns' : 'answered';
    pass(5000);
  }
  assert.equal(forwarders.get('.')!.selection.looped.size, 1);
  assert.equal(lines.length, 1);
});

test('a loop stays one over a change of configuration that keeps it, and is forgotten where it is named no more', () => {
  const { wayTo, pass, watch, loops } = scene({ '.': ['a', 'b'] });
  wayTo('a').fate = 'returns';
  pass(3000);
  assert.equal(watch({ '.': ['a', 'b'], 'corp.test.': ['b'] }).get('.')!.selection.looped.size, 1);
  assert.equal(watch({ '.': ['b'] }).get('.')!.selection.looped.size, 0);
  assert.deepEqual(loops.found, []);
});

test('ten thousand zones are asked for in turn, not together', () => {
  const zones = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`zone-${i}.test.`, ['a']]));
  const { wayTo, pass } = scene(zones);
  pass(11_000);
  const { length } = wayTo('a').probes;
  assert.ok(length > 100 && length <= 220, `${length}`);
});

test('servers that come to a zone are asked soon, and nobody else is for their sake', () => {
  const { wayTo, pass, replace, forwarders, lines } = scene({ 'a.test.': ['one'], '.': ['two'] });
  const counts = (...labels: string[]) => labels.map((label) => wayTo(label).probes.length);
  pass(2000);
  assert.deepEqual(counts('one', 'two'), [1, 1]);
  wayTo('three').fate = 'returns';
  replace(forwarders, 'a.test.', 'three');
  pass(5000);
  assert.equal(lines.length, 1);
  assert.deepEqual(counts('one', 'two'), [1, 1]);
  replace(forwarders, 'a.test.', 'four');
  replace(forwarders, 'a.test.', 'five', 'six');
  pass(5000);
  assert.deepEqual(counts('one', 'two', 'four', 'five', 'six'), [1, 1, 0, 1, 1]);
});

test('servers that come before the first look at all are part of it', () => {
  const { wayTo, pass, replace, forwarders } = scene({ 'a.test.': ['one'], '.': ['two'] });
  replace(forwarders, 'a.test.', 'three');
  pass(2000);
  assert.deepEqual(
    ['one', 'two', 'three'].map((label) => wayTo(label).probes.length),
    [0, 1, 1],
  );
});

test('a sign of trouble brings the next look forward, but not more than one in ten seconds', () => {
  const { wayTo, pass, loops } = scene({ '.': ['a'] });
  pass(3000);
  for (let i = 0; i < 60; i++) {
    loops.onOverdue();
    pass(500);
  }
  const { length } = wayTo('a').probes;
  assert.ok(length >= 3 && length <= 5, `${length}`);
});

test('when all is stopped, nothing is asked any more', () => {
  const { wayTo, pass, loops, watch } = scene({ '.': ['a'] });
  loops.stop();
  loops.onOverdue();
  // A change of configuration that was under way.
  watch({ '.': ['a'] });
  pass(20_000);
  assert.equal(wayTo('a').probes.length, 0);
});
