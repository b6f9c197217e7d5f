import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { configText } from '../../../src/cli/config-text.ts';
import { probeUpstreams } from '../../../src/cli/upstream-probe.ts';
import type { Flags } from '../../../src/config/flags.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';

/** A server on a UDP port of 127.0.0.1 that refuses every question, and counts. */
async function refusing(t: TestContext): Promise<{ address: string; count: () => number }> {
  let queries = 0;
  const socket = dgram.createSocket('udp4');
  socket.on('message', (bytes, client) => {
    queries++;
    bytes[2]! |= 0x80;
    bytes[3] = 5;
    socket.send(bytes, client.port, client.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, count: () => queries };
}

function load(clusterDns: string, upstream: string, more: Flags = {}) {
  const surroundings = { env: {}, isTerminal: false, readFile: () => '' };
  return configFromFlags({ clusterDns: [clusterDns], upstream: [upstream], ...more }, surroundings);
}

test('every upstream is asked once, for however many zones it is there', async (t) => {
  const server = await refusing(t);
  const probes = await probeUpstreams(load(`udp://${server.address}`, `udp+tcp://${server.address}`).config);
  assert.deepEqual(
    probes.map(({ zones, rcode, failure }) => ({ zones, rcode, failure })),
    [
      { zones: ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.'], rcode: 'REFUSED', failure: undefined },
      { zones: ['.'], rcode: 'REFUSED', failure: undefined },
    ],
  );
  assert.equal(server.count(), 2);
});

test('an upstream is asked over its own transport alone', async (t) => {
  const server = await refusing(t);
  const [cluster] = await probeUpstreams(load(`tcp://${server.address}`, `udp://${server.address}`).config);
  assert.equal(cluster!.failure, 'nothing listens there');
});

test('the effective configuration tells every zone and what every upstream said', async (t) => {
  const server = await refusing(t);
  const loaded = load(`tcp://${server.address}`, server.address);
  const text = configText(loaded, await probeUpstreams(loaded.config));
  assert.match(text, /^listen +169\.254\.20\.10:53$/m);
  assert.match(text, /^cache size +32MiB$/m);
  assert.match(
    text,
    /^ {2}cluster\.local\. +tcp:\/\/\S+ +random, 1s a try, 5s in all +kept up to 30s, absent up to 5s, stale for 1h after 100ms$/m,
  );
  assert.match(
    text,
    /^ {2}\. +udp\+tcp:\/\/\S+ +random, 2s a try, 5s in all +kept up to 1h, absent up to 30s, stale for 1h after 1800ms$/m,
  );
  assert.match(text, /^ {2}tcp:\/\/\S+ +no answer: nothing listens there$/m);
  assert.match(text, /^ {2}udp\+tcp:\/\/\S+ +answers \(REFUSED, [\d.]+ ms\)$/m);
});

test('the effective configuration tells whose pods are asked, and what a resolv.conf is read for', () => {
  const asked = ['192.0.2.1', '192.0.2.2'] as const;
  assert.match(configText(load(...asked), []), /^resolv\.conf +not read$/m);
  const more = { clusterDns: ['192.0.2.1', 'endpoints'], search: 'complete', resolvConf: '/run/resolv.conf' };
  const text = configText(load(...asked, more), []);
  assert.match(text, /^resolv\.conf +\/run\/resolv\.conf, for its search suffixes alone$/m);
  assert.match(
    text,
    /^cluster DNS +the pods of kube-system\/kube-dns-upstream or kube-system\/kube-dns before its address$/m,
  );
});
