import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { spawnAgent } from '../servers/agent.ts';
import { Child } from '../servers/child.ts';
import { program } from '../servers/programs.ts';
import { Namespace, skipWithoutNamespaces } from './namespace.ts';

const LINK_LOCAL = '169.254.20.10';

/** As NodeLocal DNSCache is set up, in short; its Corefile has no `chaos` of its own. */
const COREFILE = (extra: string) => `.:53 {\n  bind ${LINK_LOCAL}\n  ${extra}\n  template IN A {\n  }\n}\n`;

suite('a start on an address that somebody has is refused, and names who', {
  skip: skipWithoutNamespaces('coredns', 'ip'),
}, () => {
  let node: Namespace;
  let folder: string;
  const children: Child[] = [];

  beforeEach(async () => {
    node = await Namespace.create(`${LINK_LOCAL}/32`);
    folder = await mkdtemp(join(tmpdir(), 'signpost-refusals-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.stop();
    await node.delete();
    await rm(folder, { recursive: true });
  });

  const serve = (...flags: string[]): Child => {
    const own = ['--cluster-dns', '127.0.0.9', '--upstream', '127.0.0.9', '--metrics', 'off', '--lameduck', '0s'];
    const child = spawnAgent([...own, '--admin', 'off', '--log-format', 'json', ...flags], { prefix: node.prefix });
    children.push(child);
    return child;
  };
  const refused = async (...flags: string[]): Promise<string> => {
    const child = serve(...flags);
    assert.deepEqual(await child.exit, { code: 1, signal: null }, child.output);
    assert.doesNotMatch(child.output, /^\s+at /m);
    return child.output;
  };
  const coreDns = async (extra = ''): Promise<Child> => {
    await writeFile(join(folder, 'Corefile'), COREFILE(extra));
    const [first, ...rest] = node.prefix;
    const child = new Child(first!, [...rest, program('coredns'), '-conf', join(folder, 'Corefile')]);
    children.push(child);
    await child.waitUntil('listening', () => child.output.includes('CoreDNS-'));
    return child;
  };

  test('CoreDNS on the link-local address: its process, its word, and how NodeLocal DNSCache is ended', async () => {
    const { pid } = await coreDns('chaos CoreDNS-9.9.9');
    const said = await refused();
    assert.match(said, new RegExp(`Cannot listen on ${LINK_LOCAL.replaceAll('.', '\\.')}:53`));
    assert.match(said, new RegExp(`in use by coredns \\(process ${pid}\\), which says that it is CoreDNS-9\\.9\\.9`));
    assert.match(said, /NodeLocal DNSCache.*delete daemonset node-local-dns.*signpost teardown --nodelocal/);
  });

  test('one that does not say what it is: NodeLocal DNSCache is known by its link as well', async () => {
    await node.run(program('ip'), 'link', 'add', 'nodelocaldns', 'type', 'bridge');
    await coreDns();
    assert.match(await refused(), /in use by coredns \(process \d+\), a DNS server\. .*NodeLocal DNSCache/);
  });

  test('another agent, by mistake and without --state: it is called an agent, with what both need', async () => {
    const first = serve();
    await first.waitUntil('listening', () => first.output.includes('"listening"'));
    const said = await refused();
    assert.match(said, /which says that it is signpost \d+\.\d+\.\d+.*an agent like this one.*--state DIR/);
    assert.equal(first.hasEnded, false, 'the first one serves on');
    assert.match(await node.dig(`@${LINK_LOCAL}`, 'localhost', '+short'), /^127\.0\.0\.1$/m);
  });

  test('a program that is no DNS server: its process is named', async () => {
    const script = `require('node:net').createServer().listen(53, '${LINK_LOCAL}', () => console.log('open'))`;
    const [first, ...rest] = node.prefix;
    const holder = new Child(first!, [...rest, process.execPath, '--eval', script]);
    children.push(holder);
    await holder.waitUntil('open', () => holder.output.includes('open'));
    const said = await refused();
    assert.match(said, new RegExp(`TCP.*in use by node \\(process ${holder.pid}\\)\\. Stop that one`));
  });
});
