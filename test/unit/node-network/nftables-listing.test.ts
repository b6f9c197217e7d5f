import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  armedElements,
  compareTable,
  type Listing,
  readListing,
  ruleBodies,
} from '../../../src/node-network/nftables-listing.ts';
import { nftTable, ruleDigest } from '../../../src/node-network/nftables-table.ts';

const TABLE = nftTable({
  listen: [
    { host: '169.254.20.10', port: 53 },
    { host: '10.96.0.10', port: 5353 },
  ],
  hasNoTrack: true,
  failovers: [
    {
      family: 4,
      listen: { host: '169.254.20.10', port: 53 },
      service: { host: '10.96.0.11', port: 53 },
      targets: [],
    },
  ],
});

/** The table as nft tells of it when all is as wanted. */
function objects(): NftObject[] {
  const sets = TABLE.sets.map(({ name, type, timeoutMs, elements = [] }) => ({
    set: {
      name,
      type: type.includes(' . ') ? type.split(' . ') : type,
      ...(timeoutMs !== undefined && { flags: ['timeout'] }),
      ...(elements.length > 0 && { elem: elements.map(elementOf) }),
    },
  }));
  const chains = TABLE.chains.map(({ name, hook }) => ({
    chain: { name, ...(hook && { type: hook.type, hook: hook.name, prio: hook.priority, policy: 'accept' }) },
  }));
  const rules = TABLE.chains.flatMap(({ name, rules: texts }) =>
    texts.map((text) => ({ rule: { chain: name, comment: ruleDigest(text), expr: [{ text }] } })),
  );
  return [{ metainfo: {} }, { table: {} }, ...sets, ...chains, ...rules];
}

interface NftObject {
  readonly [kind: string]: Record<string, unknown>;
}

function elementOf(text: string) {
  const [host, port] = text.split(' . ');
  return port === undefined ? host : { concat: [host, Number(port)] };
}

function listing(all: readonly NftObject[] = objects()): Listing {
  return readListing(JSON.stringify({ nftables: all }));
}

function codes(all: readonly NftObject[], bodies = ruleBodies(listing())): string[] {
  return compareTable(TABLE, listing(all), bodies).map(({ code }) => code);
}

function isRule(object: NftObject, chain: string): boolean {
  return object['rule']?.['chain'] === chain;
}

test('a table that is as it was written has nothing amiss', () => {
  assert.deepEqual(codes(objects()), []);
  assert.deepEqual(codes(objects(), new Map()), []);
});

test('a missing chain, set or rule is named', () => {
  assert.ok(codes(objects().filter((object) => object['chain']?.['name'] !== 'carry')).includes('rules-missing'));
  assert.deepEqual(codes(objects().filter((object) => object['set']?.['name'] !== 'listen4')), ['rules-missing']);
  const query = objects().filter((object) => isRule(object, 'query4'));
  assert.deepEqual(
    codes(objects().filter((object) => !isRule(object, 'query4'))),
    query.map(() => 'rules-missing'),
  );
});

test('a rule that is there twice is one too many', () => {
  const all = objects();
  assert.deepEqual(codes([...all, all.find((object) => isRule(object, 'query4'))!]), ['rules-duplicated']);
});

test('rules, chains and sets that are not ours are foreign, with a comment or without', () => {
  assert.deepEqual(codes([...objects(), { rule: { chain: 'query4', expr: [] } }]), ['rules-foreign']);
  assert.deepEqual(codes([...objects(), { chain: { name: 'stranger' } }]), ['rules-foreign']);
  assert.deepEqual(codes([...objects(), { set: { name: 'stranger', type: 'ipv4_addr' } }]), ['rules-foreign']);
  assert.deepEqual(codes([...objects(), { map: { name: 'stranger', type: 'ipv4_addr' } }]), ['rules-foreign']);
});

test('a rule that says something else under our comment is found, where we have seen it before', () => {
  const all = objects().map((object) =>
    isRule(object, 'returning') ? { rule: { ...object['rule'], expr: [{ drop: null }] } } : object,
  );
  assert.deepEqual(codes(all), ['rules-changed']);
});

test('another order, another hook or other elements are a change', () => {
  const all = objects();
  const at = all.findIndex((object) => isRule(object, 'output'));
  [all[at], all[at + 1]] = [all[at + 1]!, all[at]!];
  assert.deepEqual(codes(all), ['rules-changed']);
  const moved = objects().map((object) =>
    object['chain']?.['name'] === 'carry' ? { chain: { ...object['chain'], prio: 0 } } : object,
  );
  assert.deepEqual(codes(moved), ['rules-changed']);
  const dropping = objects().map((object) =>
    object['chain']?.['name'] === 'carry' ? { chain: { ...object['chain'], policy: 'drop' } } : object,
  );
  assert.deepEqual(codes(dropping), ['rules-changed']);
  const fewer = objects().map((object) =>
    object['set']?.['name'] === 'address4' ? { set: { ...object['set'], elem: ['10.96.0.10'] } } : object,
  );
  assert.deepEqual(codes(fewer), ['rules-changed']);
});

test("the switch's own elements are nobody's business but the switch's", () => {
  const elem = [{ elem: { val: { concat: ['169.254.20.10', 53] }, timeout: 3, expires: 2 } }];
  const all = objects().map((object) =>
    object['set']?.['name'] === 'armed4' ? { set: { ...object['set'], elem } } : object,
  );
  assert.deepEqual(codes(all), []);
  assert.deepEqual(armedElements(listing(all)), [{ host: '169.254.20.10', port: 53 }]);
});
