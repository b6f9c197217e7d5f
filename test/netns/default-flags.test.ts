import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { spawnAgent } from '../servers/agent.ts';
import type { Child } from '../servers/child.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { program } from '../servers/programs.ts';
import { Namespace, skipWithoutNamespaces } from './namespace.ts';

/** What nodes have: the link-local address, a unique local one, and a resolver of their own. */
const LINK_LOCAL = '169.254.20.10';
const UNIQUE_LOCAL = 'fd00::10';
const RESOLVER = { host: '127.0.0.53', port: 53 };

suite('the agent with its default flags in a network of its own', {
  skip: skipWithoutNamespaces('dig', 'setpriv', ...NAMED_PROGRAMS),
}, () => {
  let namespace: Namespace;
  let named: Named;
  let folder: string;
  let agent: Child | undefined;

  beforeEach(async () => {
    namespace = await Namespace.create(
      ...[LINK_LOCAL, RESOLVER.host].map((host) => `${host}/32`),
      `${UNIQUE_LOCAL}/128`,
    );
    named = await startNamed({ ...RESOLVER, within: namespace });
    folder = await mkdtemp(join(tmpdir(), 'signpost-netns-'));
    await writeFile(join(folder, 'resolv.conf'), `nameserver ${LINK_LOCAL}\nnameserver ${RESOLVER.host}\n`);
  });
  afterEach(async () => {
    await agent?.stop();
    agent = undefined;
    await named.stop();
    await namespace.delete();
    await rm(folder, { recursive: true, force: true });
  });

  /** As the DaemonSet runs it: where the cluster DNS is comes from the environment. */
  const serve = (flags: readonly string[] = [], wrapper: readonly string[] = []): Child => {
    agent = spawnAgent(['--resolv-conf', join(folder, 'resolv.conf'), '--lameduck', '0s', ...flags], {
      prefix: [...namespace.prefix, ...wrapper],
      env: { KUBE_DNS_UPSTREAM_SERVICE_HOST: RESOLVER.host },
    });
    return agent;
  };
  const isListening = (child: Child) => child.waitUntil('listening', () => child.output.includes('listening'));

  test('it answers on 169.254.20.10:53 over UDP and TCP, is ready, and has its metrics on 9253', async () => {
    await isListening(serve());
    for (const way of ['+notcp', '+tcp']) {
      for (const name of [
        'one.example.test',
        'new.wild.example.test',
        'nothere.cluster.local',
        '10.2.0.192.in-addr.arpa',
      ]) {
        assert.match(await namespace.dig(`@${LINK_LOCAL}`, way, name), /status: (NOERROR|NXDOMAIN)/);
      }
      assert.match(await namespace.dig(`@${LINK_LOCAL}`, way, 'over4096.example.test'), /ANSWER: 250/);
    }
    assert.match(await namespace.get('http://127.0.0.1:9254/ready'), /^200 /);
    assert.match(await namespace.get(`http://${LINK_LOCAL}:9253/metrics`), /^200 .*coredns_dns_requests_total\{/s);
  });

  test('its own address in resolv.conf is passed over, and it says so', async () => {
    const child = serve();
    await isListening(child);
    assert.match(child.output, new RegExp(`${LINK_LOCAL}[^\\n]*own listen address`));
    assert.match(await namespace.dig(`@${LINK_LOCAL}`, 'one.example.test'), /192\.0\.2\.10/);
  });

  test('a unique local IPv6 address beside the IPv4 one: each answers for itself', async () => {
    await isListening(serve(['--listen', LINK_LOCAL, '--listen', `[${UNIQUE_LOCAL}]`]));
    for (const address of [LINK_LOCAL, UNIQUE_LOCAL]) {
      for (const way of ['+notcp', '+tcp']) {
        // dig takes no reply from another address than it asked.
        assert.match(await namespace.dig(`@${address}`, way, 'dual.example.test', 'AAAA'), /2001:db8::13/);
      }
    }
  });

  test('an address that is not there: the message names it and the remedy, exit 1', async () => {
    const child = serve(['--listen', '169.254.20.11']);
    assert.deepEqual(await child.exit, { code: 1, signal: null });
    assert.match(child.output, /Cannot listen on 169\.254\.20\.11:53/);
    assert.match(child.output, /address/);
    assert.doesNotMatch(child.output, /^\s+at /m);
  });

  test('without the right to bind port 53: the message names the capability, exit 1', async () => {
    const child = serve(
      [],
      [program('setpriv'), '--bounding-set', '-net_bind_service', '--inh-caps', '-net_bind_service'],
    );
    assert.deepEqual(await child.exit, { code: 1, signal: null });
    assert.match(child.output, new RegExp(`Cannot listen on ${LINK_LOCAL.replaceAll('.', '\\.')}:53`));
    assert.match(child.output, /NET_BIND_SERVICE/);
    assert.doesNotMatch(child.output, /^\s+at /m);
  });

  test('NET_BIND_SERVICE alone is enough: no other capability is used', async () => {
    const only = '-all,+net_bind_service';
    await isListening(serve([], [program('setpriv'), '--bounding-set', only, '--inh-caps', only]));
    assert.match(await namespace.dig(`@${LINK_LOCAL}`, 'one.example.test'), /192\.0\.2\.10/);
  });

  test('the address taken away while it runs: it goes on, and answers again when the address is back', async () => {
    await isListening(serve());
    const address = (verb: string) => namespace.run(program('ip'), 'address', verb, `${LINK_LOCAL}/32`, 'dev', 'lo');
    assert.match(await namespace.dig(`@${LINK_LOCAL}`, 'one.example.test'), /192\.0\.2\.10/);
    await address('delete');
    assert.doesNotMatch(await namespace.dig(`@${LINK_LOCAL}`, '+time=1', 'one.example.test'), /192\.0\.2\.10/);
    await address('add');
    for (const way of ['+notcp', '+tcp']) {
      assert.match(await namespace.dig(`@${LINK_LOCAL}`, way, 'one.example.test'), /192\.0\.2\.10/);
    }
  });
});
