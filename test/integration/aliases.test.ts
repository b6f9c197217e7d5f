import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type AskOptions, ask, type Server } from '../client/ask.ts';
import { type Message, TYPES } from '../client/message.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { type CoreDns, startCoreDns } from '../servers/coredns.ts';
import { skipWithout } from '../servers/programs.ts';

const skip = skipWithout('coredns');
const CNAME = TYPES['CNAME']!;
const RRSIG = TYPES['RRSIG']!;
const NXDOMAIN = 3;

const CLUSTER_ZONE = `$ORIGIN cluster.local.
@ 30 IN SOA ns.dns hostmaster 1 7200 1800 86400 5
@ 30 IN NS ns.dns
ns.dns 30 IN A 10.96.0.10
web.shop.svc 30 IN A 10.96.0.1
web.shop.svc 30 IN A 10.96.0.2
web.shop.svc 30 IN RRSIG A 8 5 30 20380101000000 20260101000000 1 cluster.local. AQIDBA==
web.shop.svc 30 IN AAAA fd00::1
web.shop.svc 30 IN TXT "a text"
web.shop.svc 30 IN MX 10 mail.shop.svc
_http._tcp.web.shop.svc 30 IN SRV 0 100 80 web.shop.svc
ext.shop.svc 30 IN CNAME web.shop.svc
${Array.from({ length: 60 }, (_, i) => `many.shop.svc 30 IN A 10.96.1.${i}`).join('\n')}
`;
const OUTSIDE_ZONE = `$ORIGIN example.org.
@ 60 IN SOA ns hostmaster 1 7200 1800 86400 5
www 60 IN A 192.0.2.80
www 60 IN HTTPS 1 . alpn="h2"
`;

const REWRITES = [
  'name exact shop.example.com web.shop.svc.cluster.local',
  'stop name exact ext.example.com ext.shop.svc.cluster.local answer auto',
  'continue name other.example.com middle.example.com',
  'name exact middle.example.com www.example.org',
  'name exact srv.example.com _http._tcp.web.shop.svc.cluster.local',
  'name exact gone.example.com gone.shop.svc.cluster.local',
  'name exact many.example.com many.shop.svc.cluster.local',
];

let folder: string;
let cluster: CoreDns;
let agent: Agent;

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), 'signpost-aliases-'));
  cluster = await startCoreDns({
    readyName: 'web.shop.svc.cluster.local',
    corefile: (port) =>
      `.:${port} {\n bind 127.0.0.1\n file cluster.zone cluster.local\n file outside.zone example.org\n}\n`,
    files: { 'cluster.zone': CLUSTER_ZONE, 'outside.zone': OUTSIDE_ZONE },
  });
  agent = await startAgent(['--corefile', await put('Corefile', corefile(53, REWRITES))]);
});

after(async () => {
  await agent?.stop();
  await cluster?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** All zones ask one server: CoreDNS asks the servers of the block for a name that it has rewritten, whatever zone that is in. */
function corefile(port: number, rewrites: readonly string[]): string {
  const common = `bind 127.0.0.1\n cache 30\n forward . 127.0.0.1:${cluster.port}\n`;
  const rules = rewrites.map((rule) => ` rewrite ${rule}\n`).join('');
  return `cluster.local:${port} {\n ${common}}\n.:${port} {\n ${common}${rules}}\n`;
}

async function put(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
  return path;
}

/** What the name has of the type that is asked, whatever way led there. */
async function told(server: Server, question: AskOptions): Promise<object> {
  const { rcode, answers } = await ask(server, { overTcp: true, ...question });
  const wanted = answers.filter(({ type }) => type === TYPES[question.type]).map(({ data }) => data);
  return { rcode, data: wanted.toSorted() };
}

const chain = ({ answers }: Message) => answers.filter(({ type }) => type === CNAME).map(({ owner }) => owner);

test('a rewrite of one name to another gives what CoreDNS gives, whatever is asked for', { skip }, async () => {
  const theirs = await startCoreDns({
    readyName: 'shop.example.com',
    corefile: (port) => corefile(port, REWRITES),
  });
  try {
    for (const name of REWRITES.map((rule) => /(\S+\.example\.com) /.exec(rule)![1]!)) {
      for (const type of ['A', 'AAAA', 'TXT', 'MX', 'SRV', 'HTTPS']) {
        const question = { name, type };
        assert.deepEqual(await told(agent, question), await told(theirs, question), `${name} ${type}`);
      }
    }
    const { data } = (await told(agent, { name: 'shop.example.com', type: 'A' })) as { data: string[] };
    assert.deepEqual(data, ['0a600001', '0a600002']);
  } finally {
    await theirs.stop();
  }
});

test('the answer is a chain of CNAME records from the name that was asked', { skip }, async () => {
  for (const overTcp of [false, true]) {
    const shop = await ask(agent, { name: 'SHOP.example.com', type: 'A', overTcp });
    assert.deepEqual(chain(shop), ['shop.example.com.']);
    const ext = await ask(agent, { name: 'ext.example.com', type: 'AAAA', overTcp });
    assert.deepEqual(chain(ext), ['ext.example.com.', 'ext.shop.svc.cluster.local.']);
    assert.equal(ext.answers.at(-1)?.owner, 'web.shop.svc.cluster.local.');
    const alone = await ask(agent, { name: 'shop.example.com', type: 'CNAME', overTcp });
    assert.deepEqual(alone.answers.length, 1);
    const gone = await ask(agent, { name: 'gone.example.com', type: 'A', overTcp });
    assert.deepEqual([gone.rcode, chain(gone)], [NXDOMAIN, ['gone.example.com.']]);
    assert.deepEqual(
      gone.authorities.map(({ owner }) => owner),
      ['cluster.local.'],
    );
  }
});

test('a resolver library follows it', { skip }, async () => {
  const resolver = new Resolver();
  resolver.setServers([`${agent.host}:${agent.port}`]);
  assert.deepEqual((await resolver.resolve4('shop.example.com')).toSorted(), ['10.96.0.1', '10.96.0.2']);
  assert.deepEqual(await resolver.resolveCname('shop.example.com'), ['web.shop.svc.cluster.local']);
  await assert.rejects(resolver.resolve4('gone.example.com'), { code: 'ENOTFOUND' });
});

test('DO brings the signatures of the other name, and nobody vouches for the CNAME', { skip }, async () => {
  const { answers, flags } = await ask(agent, { name: 'shop.example.com', type: 'A', dnssecOk: true });
  assert.deepEqual(
    answers.map(({ type }) => type).filter((type) => type !== TYPES['A']),
    [CNAME, RRSIG],
  );
  assert.equal(flags & 0x0420, 0);
  const plain = await ask(agent, { name: 'shop.example.com', type: 'A' });
  assert.ok(!plain.answers.some(({ type }) => type === RRSIG));
});

test('what is too long for UDP comes whole over TCP', { skip }, async () => {
  const cut = await ask(agent, { name: 'many.example.com', type: 'A' });
  assert.ok(cut.isTruncated);
  assert.equal((await ask(agent, { name: 'many.example.com', type: 'A', overTcp: true })).answers.length, 61);
});

test('it is answered from memory, its TTLs count down, and a cluster DNS that stands still is not noticed', {
  skip,
}, async () => {
  const question = { name: 'other.example.com', type: 'A' };
  const first = await ask(agent, question);
  assert.deepEqual([chain(first), first.answers.at(-1)?.owner], [['other.example.com.'], 'www.example.org.']);
  const hits = async () => (await agent.scrape()).count('coredns_cache_hits_total', { zones: '.', type: 'success' });
  const before = await hits();
  cluster.kill('SIGSTOP');
  try {
    assert.deepEqual(chain(await ask(agent, question)), ['other.example.com.']);
    assert.equal(await hits(), before + 1);
    const ttls = async () => (await ask(agent, question)).answers.map(({ ttl }) => ttl);
    const [cname, address] = await ttls();
    await agent.child.waitUntil('counting down', async () => {
      const [laterCname, laterAddress] = await ttls();
      return laterCname! < cname! && laterAddress! < address!;
    });
  } finally {
    cluster.kill('SIGCONT');
  }
});

test('one that leads elsewhere after a reload, or is gone, is not answered from memory', { skip }, async () => {
  const path = await put('changing.Corefile', corefile(53, ['name exact shop.example.com web.shop.svc.cluster.local']));
  const changing = await startAgent(['--corefile', path]);
  const last = async () => (await ask(changing, { name: 'shop.example.com', type: 'A' })).answers.at(-1)?.owner;
  try {
    assert.equal(await last(), 'web.shop.svc.cluster.local.');
    await put('changing.Corefile', corefile(53, ['name exact shop.example.com www.example.org']));
    await changing.child.waitUntil('leading elsewhere', async () => (await last()) === 'www.example.org.');
    await put('changing.Corefile', corefile(53, []));
    await changing.child.waitUntil('gone', async () => (await last()) === undefined);
  } finally {
    await changing.stop();
  }
});
