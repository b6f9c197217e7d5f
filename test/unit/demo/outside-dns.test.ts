import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutsideDns } from '../../../src/demo/outside-dns.ts';

const outside = new OutsideDns({
  outside: new Map<string, readonly string[] | string>([
    ['www.example.com', ['203.0.113.10', '2001:db8::10']],
    ['api.example.com', 'www.example.com'],
    ['lost.example.com', 'nowhere.example.net'],
    ['one.example.org', 'two.example.org'],
    ['two.example.org', 'one.example.org'],
  ]),
});

/** The answer in short: rcode, then each record's type and data. */
function ask(name: string, type: string): string {
  const { rcode, answers, authorities } = outside.answer(name, type);
  return [
    rcode,
    ...[...answers, ...authorities].map(
      (record) => `${record.type} ${record.type === 'SOA' ? record.name : record.data}`,
    ),
  ].join(', ');
}

test('a name has its addresses, each family for its own type', () => {
  assert.equal(ask('www.example.com', 'A'), '0, A 203.0.113.10');
  assert.equal(ask('www.example.com', 'AAAA'), '0, AAAA 2001:db8::10');
  assert.equal(ask('www.example.com', 'MX'), '0, SOA .');
});

test('names are the same in any case, and repeated as they were asked', () => {
  assert.equal(outside.answer('WWW.Example.COM', 'A').answers[0]?.name, 'WWW.Example.COM');
});

test('an alias comes with what it stands for', () => {
  assert.equal(ask('api.example.com', 'A'), '0, CNAME www.example.com, A 203.0.113.10');
  assert.equal(ask('api.example.com', 'CNAME'), '0, CNAME www.example.com');
  assert.equal(ask('api.example.com', 'MX'), '0, CNAME www.example.com, SOA .');
  assert.equal(ask('lost.example.com', 'A'), '3, CNAME nowhere.example.net, SOA .');
});

test('a name with others below it is there, one without is not', () => {
  assert.equal(ask('example.com', 'A'), '0, SOA .');
  assert.equal(ask('.', 'A'), '0, SOA .');
  assert.equal(ask('nobody.example.com', 'A'), '3, SOA .');
  assert.equal(ask('ample.com', 'A'), '3, SOA .');
});

test('a loop of aliases ends', () => {
  assert.equal(outside.answer('one.example.org', 'A').answers.length, 8);
});
