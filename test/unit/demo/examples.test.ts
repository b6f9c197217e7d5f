import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterDns } from '../../../src/demo/cluster-dns.ts';
import { parseCluster, readClusterFile } from '../../../src/demo/cluster-file.ts';
import { examplesFor } from '../../../src/demo/examples.ts';
import { OutsideDns } from '../../../src/demo/outside-dns.ts';

const server = { host: '127.0.0.1', port: 5300 };

test('the first command is the one of the README', () => {
  const [first] = examplesFor(readClusterFile(), server);
  assert.equal(first?.command, 'dig -p 5300 @127.0.0.1 web.default.svc.cluster.local');
});

test('every command but the last finds something', () => {
  const cluster = readClusterFile();
  const dns = new ClusterDns(cluster, new OutsideDns(cluster));
  const examples = examplesFor(cluster, server).filter(({ command }) => !command.includes(' -x '));
  const counts = examples.map(({ command }) => {
    const [name = '', type = 'A'] = command.replace(/^dig -p 5300 @127\.0\.0\.1 (?:\+tcp )?/, '').split(' ');
    return dns.answer(name, type).answers.length;
  });
  assert.equal(counts.pop(), 0);
  assert.ok(counts.length >= 5 && counts.every((count) => count > 0), String(counts));
});

test("a cluster of the user's own gets commands for what it has, down to none", () => {
  const own = parseCluster('domain: corp.example\nnamespaces: {a: {b: {clusterIPs: [10.9.8.7]}}}', 'mine.yaml');
  const commands = examplesFor(own, server).map(({ command }) => command);
  assert.ok(commands.includes('dig -p 5300 @127.0.0.1 b.a.svc.corp.example'));
  assert.ok(commands.includes('dig -p 5300 @127.0.0.1 -x 10.9.8.7'));
  assert.equal(examplesFor(parseCluster('', 'mine.yaml'), server).length, 1);
});
