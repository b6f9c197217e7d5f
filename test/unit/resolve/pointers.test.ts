import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeName, type Message } from '../../client/message.ts';
import { arbitraryName } from '../../wire/arbitrary-message.ts';
import { type Labels, optRecord, writeMessage } from '../../wire/message-writer.ts';
import { ImageHouse, scratch } from '../cache/image-house.ts';
import { House } from './house.ts';

const NAME = '7.0.0.10.in-addr.arpa';
const OWNER = NAME.split('.');
const SERVICES = ['web', 'a', 'metrics-of-web'].map((name): Labels => [name, 'shop', 'svc', 'cluster', 'local']);

interface Pointer {
  readonly target: Labels;
  readonly ttl: number;
}

/** The reply of the cluster DNS: without compression, as CoreDNS has it, or with, as others. */
function answer(pointers: readonly Pointer[], compresses: boolean): Uint8Array {
  return writeMessage(
    {
      id: 0,
      flags: 0x8580,
      questions: [{ name: OWNER, type: 12, class: 1 }],
      answers: pointers.map(({ target, ttl }) => ({ owner: OWNER, type: 12, class: 1, ttl, data: [target] })),
      authorities: [],
      additionals: [optRecord(1232)],
    },
    { compresses },
  );
}

function learn(house: House, pointers: readonly Pointer[], compresses: boolean): Message {
  const client = house.ask({ name: NAME, type: 'PTR', isStream: true });
  house.outside.answerBytes(answer(pointers, compresses));
  return client.reply;
}

const services = SERVICES.map((target) => ({ target, ttl: 30 }));
const dataOf = (target: Labels): string =>
  encodeName(target.map((label) => label.toLowerCase()).join('.')).toString('hex');
const shown = ({ answers }: Message): string[] => answers.map(({ data, ttl }) => `${data} ${ttl}`);
const names = ({ answers }: Message): string[] => answers.map(({ data }) => data);

for (const compresses of [false, true]) {
  const how = compresses ? 'compressed' : 'written out';

  test(`the names of an address rotate from reply to reply (${how})`, () => {
    const house = new House();
    const wanted = SERVICES.map(dataOf);
    const first = learn(house, services, compresses);
    const start = wanted.indexOf(names(first)[0]!);
    for (let i = 0; i < 7; i++) {
      const turn = (start + 1 + i) % 3;
      const { reply } = house.ask({ name: NAME, type: 'PTR' });
      assert.deepEqual(names(reply), [...wanted.slice(turn), ...wanted.slice(0, turn)]);
      assert.ok(reply.answers.every(({ owner }) => owner === `${NAME}.`));
    }
  });

  test(`whatever the names are, each reply has all of them, and each TTL counts down with its own record (${how})`, () => {
    const pointer = fc.record({ target: arbitraryName, ttl: fc.integer({ min: 100, max: 3600 }) });
    fc.assert(
      fc.property(
        fc.array(pointer, { minLength: 2, maxLength: 6 }),
        fc.array(fc.nat(9000), { minLength: 1, maxLength: 10 }),
        (pointers, steps) => {
          const house = new House();
          learn(house, pointers, compresses);
          let passedMs = 0;
          for (const ms of steps) {
            house.pass(ms);
            passedMs += ms;
            const { reply } = house.ask({ name: NAME, type: 'PTR', isStream: true });
            const left = (ttl: number): number => ttl - Math.floor(passedMs / 1000);
            assert.deepEqual(
              shown(reply).sort(),
              pointers.map(({ target, ttl }) => `${dataOf(target)} ${left(ttl)}`).sort(),
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test(`they rotate when they are served stale (${how})`, () => {
    const house = new House();
    learn(house, services, compresses);
    house.pass(31_000);
    const firsts = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const client = house.ask({ name: NAME, type: 'PTR' });
      if (house.outside.asked.length > 0) house.outside.fail('timeout');
      assert.equal(client.reply.answers.length, 3);
      firsts.add(names(client.reply)[0]!);
    }
    assert.equal(firsts.size, 3);
  });

  test(`another process that takes the cache over goes on rotating (${how})`, async (t) => {
    const path = join(await scratch(t), 'image');
    const before = new ImageHouse({ seed: 1 });
    const after = new ImageHouse({ seed: 2 });
    learn(before.house, services, compresses);
    before.house.ask({ name: NAME, type: 'PTR' });
    before.house.pass(10_000);
    await before.save(path);
    await after.load(path);
    after.house.pass(5000);
    const firsts = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const { reply } = after.house.ask({ name: NAME, type: 'PTR' });
      assert.deepEqual(shown(reply).sort(), SERVICES.map((target) => `${dataOf(target)} 15`).sort());
      firsts.add(names(reply)[0]!);
    }
    assert.equal(firsts.size, 3);
  });
}

test('more names than a datagram takes are cut at whole records, whichever is first', () => {
  const house = new House();
  const many = Array.from({ length: 60 }, (_, i) => ({
    target: [`${'s'.repeat(1 + (i % 20))}${i}`, 'shop', 'svc', 'cluster', 'local'],
    ttl: 30,
  }));
  learn(house, many, false);
  const wanted = new Set(many.map(({ target }) => dataOf(target)));
  const firsts = new Set<string>();
  for (let i = 0; i < 60; i++) {
    const { reply } = house.ask({ name: NAME, type: 'PTR' });
    assert.ok(reply.isTruncated && reply.length <= 512 && reply.answers.length > 3);
    for (const name of names(reply)) assert.ok(wanted.has(name));
    firsts.add(names(reply)[0]!);
  }
  assert.equal(firsts.size, 60);
});

test('an answer that would not fit into a datagram any more stays as the cluster DNS put it', () => {
  const house = new House();
  const many = Array.from({ length: 15 }, (_, i) => ({ target: [`s${i}`, ...SERVICES[0]!], ttl: 30 }));
  const first = learn(house, many, true);
  for (let i = 0; i < 3; i++) {
    const { reply } = house.ask({ name: NAME, type: 'PTR' });
    assert.equal(reply.isTruncated, false);
    assert.deepEqual(names(reply), names(first));
  }
});

test('an answer that is not kept rotates among those who wait for it', () => {
  const house = new House();
  const waiting = [1, 2, 3].map(() => house.ask({ name: NAME, type: 'PTR' }));
  house.outside.answerBytes(
    answer(
      services.map(({ target }) => ({ target, ttl: 0 })),
      true,
    ),
  );
  assert.equal(new Set(waiting.map(({ reply }) => names(reply)[0])).size, 3);
  assert.equal(house.ask({ name: NAME, type: 'PTR' }).replies.length, 0);
});
