import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Server } from '../client/ask.ts';
import { assertCached } from '../client/cached-answer.ts';
import { nsupdate } from '../client/nsupdate.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { run } from '../servers/child.ts';
import { type DynamicZone, startDynamicZone } from '../servers/dynamic-zone.ts';
import { KERBEROS_PROGRAMS, type Principal, type Realm, startRealm } from '../servers/kerberos.ts';
import { honest, type Liar, startLiar } from '../servers/liar.ts';
import { program } from '../servers/programs.ts';
import { assertRelayed } from '../servers/relayed.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { enterOwnNetwork, resolverFiles } from './own-network.ts';

const LISTEN: Server = { host: '169.254.20.10', port: 53 };
const ZONE = 'example.test';
/** The zone that a server has its name in, and another one that it serves; the agent knows the way to the other alone. */
const HIDDEN = 'hidden.test';
const ELSEWHERE = 'elsewhere.test';
/** A zone with two servers, either of which takes updates. */
const PAIR = 'pair.test';
const UPDATER: Principal = { name: 'updater', password: 'secret' };
/** All that a reply says but its ID, flags and TTLs. */
const DIG = ['+noall', '+comments', '+question', '+answer', '+authority', '+additional', '+nottlid', '+noedns'];
const MACHINE: Principal = { name: `host/web.${ZONE}` };

const skip = skipWithoutNamespaces('unshare', 'mount', 'named', 'nsupdate', 'dig', ...KERBEROS_PROGRAMS);
if (!skip) {
  enterOwnNetwork({
    addresses: [`${LISTEN.host}/32`],
    files: resolverFiles(LISTEN.host),
  });
}

/** The KDC is known by its SRV records alone, and resolv.conf names the agent alone: whatever works here went through it. */
suite('dynamic updates signed with Kerberos tickets (GSS-TSIG) through the agent', { skip }, () => {
  let realm: Realm;
  let primary: DynamicZone;
  let second: Liar;
  let strays = 0;
  let pair: DynamicZone[];
  let elsewhere: DynamicZone;
  let agent: Agent;
  before(async () => {
    realm = await startRealm({
      name: 'EXAMPLE.TEST',
      host: '127.0.0.1',
      principals: [UPDATER, MACHINE, ...[ZONE, PAIR, HIDDEN].map((zone) => ({ name: `DNS/ns.${zone}` }))],
    });
    const records = [
      'KDC A 127.0.0.1',
      `_kerberos._udp SRV 0 0 ${realm.port} KDC`,
      `_kerberos._tcp SRV 0 0 ${realm.port} KDC`,
      '_kerberos TXT "EXAMPLE.TEST"',
      'web A 192.0.2.80',
      'other A 192.0.2.81',
    ];
    primary = await startDynamicZone({
      zones: [ZONE],
      records,
      options: [`tkey-gssapi-keytab "${realm.keytab}";`],
      statements: [
        `update-policy { grant ${UPDATER.name}@${realm.name} zonesub A AAAA; grant ${realm.name} krb5-self . A; };`,
      ],
      env: realm.env,
    });
    // A second server for the zone, as good as the first for every question. But contexts live in the server that made them.
    second = await startLiar(primary);
    second.behave((lie) => {
      if (lie.query.includes('gss-tsig')) strays++;
      honest(lie);
    });
    const one = {
      records: [],
      options: [`tkey-gssapi-keytab "${realm.keytab}";`],
      statements: [`update-policy { grant ${UPDATER.name}@${realm.name} zonesub A; };`],
      env: realm.env,
    } as const;
    pair = [await startDynamicZone({ ...one, zones: [PAIR] }), await startDynamicZone({ ...one, zones: [PAIR] })];
    elsewhere = await startDynamicZone({ ...one, zones: [HIDDEN, ELSEWHERE] });
    const route = (zone: string, ...servers: Server[]) => [
      '--route',
      `${zone}=${servers.map(({ host, port }) => `${host}:${port}`).join()}`,
    ];
    agent = await startAgent([
      ...['--listen', LISTEN.host, '--cluster-dns', '127.0.0.1:9', '--upstream', '127.0.0.1:9'],
      ...route(ZONE, primary, second),
      ...route(ELSEWHERE, elsewhere),
      ...route(`sig-ns.${HIDDEN}`, elsewhere),
      ...route(PAIR, ...pair),
    ]);
  });
  after(async () => {
    await agent?.stop();
    second?.stop();
    for (const server of [elsewhere, ...(pair ?? [])]) await server?.stop();
    await primary?.stop();
    await realm?.stop();
  });

  const update = (env: NodeJS.ProcessEnv, lines: readonly string[], ...flags: string[]) =>
    nsupdate({ server: LISTEN, zone: ZONE, lines, flags: ['-g', ...flags], env });

  const assertAddresses = (name: string, data: readonly string[]) => assertCached(agent, { name, data });

  test('a client that knows the realm by name only finds the KDC, and gets tickets with a password or a key', async () => {
    for (const principal of [UPDATER, MACHINE]) {
      await realm.logIn(principal);
      assert.match(realm.log(), new RegExp(`AS_REQ .*ISSUE: .*${principal.name}@EXAMPLE\\.TEST`));
    }
    assert.ok((await agent.scrape()).sum('coredns_dns_requests_total', { type: 'SRV' }) > 0);
  });

  test('what a realm is found by has every letter and dot as the server gave it, fresh and from memory', async () => {
    for (const [name, type] of [
      ['_kerberos._udp.EXAMPLE.TEST', 'SRV'],
      ['_kerberos._tcp.Example.Test.', 'SRV'],
      ['_kerberos.ns.example.test', 'TXT'],
      ['_kerberos.EXAMPLE.test', 'TXT'],
    ] as const) {
      const wordsOf = async ({ host, port }: Server) => {
        const { stdout } = await run(program('dig'), [`@${host}`, '-p', `${port}`, ...DIG, name, type]);
        return stdout.replace(/id: \d+|;; flags:[^;]*|;; WARNING: .*\n/g, '');
      };
      const direct = await wordsOf(primary);
      assert.match(direct, /status: (NOERROR|NXDOMAIN)/);
      for (const from of ['upstream', 'memory']) assert.equal(await wordsOf(LISTEN), direct, `${name} from ${from}`);
    }
  });

  for (const [way, ...flags] of [['UDP'], ['TCP', '-v']] as const) {
    test(`records added, changed and deleted over ${way}: the next query sees it, whatever was cached`, async () => {
      const env = await realm.logIn(UPDATER);
      const name = `new-${way}.${ZONE}`;
      await assertAddresses(name, []);
      assert.equal(await update(env, [`update add ${name} 60 A 192.0.2.1`], ...flags), 'NOERROR');
      await assertAddresses(name, ['192.0.2.1']);
      const change = [`update delete ${name} A`, `update add ${name} 60 A 192.0.2.2`];
      assert.equal(await update(env, change, ...flags), 'NOERROR');
      await assertAddresses(name, ['192.0.2.2']);
      assert.equal(await update(env, [`update delete ${name}`], ...flags), 'NOERROR');
      await assertAddresses(name, []);
    });
  }

  test('several updates with one context: each is signed, answered and seen', async () => {
    const env = await realm.logIn(UPDATER);
    const names = Array.from({ length: 20 }, (_, at) => `one-${at}.${ZONE}`);
    for (const name of names) await assertAddresses(name, []);
    const lines = names.flatMap((name) => [`update add ${name} 60 A 192.0.2.3`, 'send']);
    assert.equal(await update(env, lines.slice(0, -1)), 'NOERROR');
    for (const name of names) await assertAddresses(name, ['192.0.2.3']);
  });

  test('many clients at once: no context is mistaken for another', async () => {
    const [user, machine] = [await realm.logIn(UPDATER), await realm.logIn(MACHINE)];
    const names = Array.from({ length: 10 }, (_, at) => `many-${at}.${ZONE}`);
    const clients = names.map(async (name, at) => {
      assert.equal(await update(user, [`update add ${name} 60 A 192.0.2.4`], ...(at % 2 ? ['-v'] : [])), 'NOERROR');
      assert.match(await update(machine, [`update add ${name} 60 A 192.0.2.5`]), /REFUSED/);
    });
    await Promise.all(clients);
    for (const name of names) await assertAddresses(name, ['192.0.2.4']);
    assert.ok(second.count > 0);
    assert.equal(strays, 0, 'a signed message went to the server that had no part in its context');
  });

  test('a machine may change its own address and no other', async () => {
    const env = await realm.logIn(MACHINE);
    await assertAddresses(`web.${ZONE}`, ['192.0.2.80']);
    await assertAddresses(`other.${ZONE}`, ['192.0.2.81']);
    const move = (name: string) => [`update delete ${name}.${ZONE} A`, `update add ${name}.${ZONE} 60 A 192.0.2.90`];
    assert.equal(await update(env, move('web')), 'NOERROR');
    await assertAddresses(`web.${ZONE}`, ['192.0.2.90']);
    assert.match(await update(env, move('other')), /REFUSED/);
    await assertAddresses(`other.${ZONE}`, ['192.0.2.81']);
  });

  test('a server with its name in a zone that leads elsewhere: a route for the contexts that are named after it is enough', async () => {
    const env = await realm.logIn(UPDATER);
    const name = `new.${ELSEWHERE}`;
    const lines = [`update add ${name} 60 A 192.0.2.6`];
    await assertAddresses(name, []);
    assert.equal(await nsupdate({ server: LISTEN, zone: ELSEWHERE, lines, flags: ['-g'], env }), 'NOERROR');
    await assertAddresses(name, ['192.0.2.6']);
  });

  test('of two servers the first one gets all updates, and when it is gone the other, with a context of its own', async () => {
    const env = await realm.logIn(UPDATER);
    const send = (at: number) => {
      const lines = [`update add new-${at}.${PAIR} 60 A 192.0.2.7`];
      return nsupdate({ server: LISTEN, zone: PAIR, lines, flags: ['-g', '-v'], env });
    };
    const updatesOf = ({ log }: DynamicZone) => log().match(/adding an RR at 'new-\d+\.pair\.test'/g)?.length ?? 0;
    for (let at = 0; at < 5; at++) assert.equal(await send(at), 'NOERROR');
    assert.deepEqual(pair.map(updatesOf), [5, 0]);
    await pair[0]!.stop();
    for (let at = 5; at < 8; at++) assert.equal(await send(at), 'NOERROR');
    assert.deepEqual(pair.map(updatesOf), [5, 3]);
  });

  test('what the policy does not grant is REFUSED by the server, and the client is told so', async () => {
    const env = await realm.logIn(UPDATER);
    const lines = [`update add note.${ZONE} 60 TXT "not granted"`];
    for (const flags of [[], ['-v']]) assert.match(await update(env, lines, ...flags), /REFUSED/);
    assert.match(
      primary.log(),
      /updater\\@EXAMPLE\.TEST: updating zone 'example\.test\/IN': update failed: rejected by secure update/,
    );
    const unsigned = { server: LISTEN, zone: ZONE, lines: [`update add note.${ZONE} 60 A 192.0.2.1`] };
    assert.match(await nsupdate(unsigned), /REFUSED/);
    await assertAddresses(`note.${ZONE}`, []);
  });

  test('who cannot log in changes nothing', async () => {
    await assert.rejects(realm.logIn({ name: 'nobody', password: 'secret' }), /not found in Kerberos database/);
    const noTicket = { ...realm.env, KRB5CCNAME: 'FILE:nothing' };
    assert.doesNotMatch(await update(noTicket, [`update add note.${ZONE} 60 A 192.0.2.1`]), /NOERROR/);
    await assertAddresses(`note.${ZONE}`, []);
  });

  test('every message that passed is counted by kind, and none was lost on the way', async () => {
    await assertRelayed(agent, ['tkey', 'update']);
  });
});
