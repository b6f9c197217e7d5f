import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask, type Server } from '../client/ask.ts';
import { startAgent } from '../servers/agent.ts';
import { type CoreDns, startCoreDns } from '../servers/coredns.ts';
import { freePort } from '../servers/free-port.ts';
import { skipWithout } from '../servers/programs.ts';

const skip = skipWithout('coredns');

/** A server whose address for every name tells which one it is. */
interface Backend {
  readonly port: number;
  readonly address: string;
}

let folder: string;
let backends: CoreDns;
let cluster: Backend;
let outside: Backend;
let office: Backend;

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), 'signpost-corefile-'));
  const made: Backend[] = [];
  for (const address of ['192.0.2.1', '192.0.2.2']) made.push({ port: await freePort(), address });
  const block = ({ port, address }: Backend): string => `.:${port} {
    bind 127.0.0.1
    template IN A {
      answer "{{ .Name }} 60 IN A ${address}"
    }
    template IN AAAA {
      answer "{{ .Name }} 60 IN AAAA 2001:db8::1"
    }
  }\n`;
  const last = (port: number): Backend => ({ port, address: '192.0.2.3' });
  const corefile = (port: number): string => [...made, last(port)].map(block).join('');
  backends = await startCoreDns({ readyName: 'ready.example', corefile });
  [cluster, outside] = made as [Backend, Backend];
  office = last(backends.port);
});

after(async () => {
  await backends?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

function corefile(port: number): string {
  return `(common) {
    errors
    bind 127.0.0.1
    cache {
      success 9984 30
      denial 9984 5
    }
}
cluster.local:${port} in-addr.arpa:${port} {
    import common
    forward . 127.0.0.1:${cluster.port} {
      force_tcp
    }
}
corp.example:${port} {
    import common
    forward gone.corp.example 127.0.0.1:${outside.port}
    forward . 127.0.0.1:${office.port} {
      except closed.corp.example
      policy sequential
    }
}
.:${port} {
    import common
    hosts {
      192.0.2.80 mirror.example Second.Example
      2001:db8::80 v6.example
      fallthrough
    }
    template IN AAAA plain.example {
      rcode NOERROR
    }
    template ANY ANY refused.example {
      rcode REFUSED
    }
    forward . 127.0.0.1:${outside.port}
}
`;
}

const NAMES = [
  'web.default.svc.cluster.local',
  'CORP.example',
  'www.corp.example',
  'a.gone.corp.example',
  'mirror.example',
  'second.example',
  'v6.example',
  'www.plain.example',
  'www.refused.example',
  'refused.example',
  'elsewhere.example',
  '9.2.0.192.in-addr.arpa',
];

async function told(server: Server, name: string, type: string): Promise<object> {
  const { rcode, answers = [] } = await ask(server, { name, type });
  return { rcode, answers: answers.map((record) => [record.type, 'data' in record ? record.data : undefined]) };
}

/** An IPv4 address as the data of its record. */
function hexOf(address: string): string {
  return Buffer.from(address.split('.').map(Number)).toString('hex');
}

test('a Corefile is served as CoreDNS serves it', { skip }, async () => {
  const path = join(folder, 'equal.Corefile');
  await writeFile(path, corefile(53));
  const theirs = await startCoreDns({ readyName: 'elsewhere.example', corefile });
  const ours = await startAgent(['--corefile', path]);
  try {
    for (const name of NAMES) {
      for (const type of ['A', 'AAAA']) {
        assert.deepEqual(await told(ours, name, type), await told(theirs, name, type), `${name} ${type}`);
      }
    }
    // Where it says SERVFAIL, for nothing is there to answer, we refuse.
    assert.equal((await ask(theirs, { name: 'a.closed.corp.example', type: 'A' })).rcode, 2);
    assert.equal((await ask(ours, { name: 'a.closed.corp.example', type: 'A' })).rcode, 5);
  } finally {
    await Promise.all([ours.stop(), theirs.stop()]);
  }
});

test('a Corefile that changes is in force, and one that is wrong leaves the last good one', { skip }, async () => {
  const path = join(folder, 'changing.Corefile');
  const put = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  const rootTo = ({ port }: Backend): string =>
    `cluster.local .:53 {\n bind 127.0.0.1\n forward . 127.0.0.1:${port}\n}\n`;
  await put(rootTo(outside));
  const agent = await startAgent(['--corefile', path]);
  const addressIs = async ({ address }: Backend): Promise<boolean> =>
    JSON.stringify(await told(agent, 'www.example', 'A')).includes(hexOf(address));
  try {
    assert.ok(await addressIs(outside));
    await put(rootTo(office));
    await agent.child.waitUntil('asking the other', () => addressIs(office));
    await put('. {\n forward . nobody\n}\n');
    await agent.child.waitUntil('complaining', () =>
      agent.child.output.includes(`${path}:2: Cannot read forward: nobody`),
    );
    assert.ok(await addressIs(office));
  } finally {
    await agent.stop();
  }
});

test('probes go where the Corefile has health and ready, and show nothing else', { skip }, async () => {
  const [health, ready] = [await freePort(), await freePort()];
  const path = join(folder, 'probes.Corefile');
  const lines = [`health 127.0.0.1:${health}`, `ready 127.0.0.1:${ready}`, `forward . 127.0.0.1:${outside.port}`];
  await writeFile(path, `cluster.local .:53 {\n bind 127.0.0.1\n ${lines.join('\n ')}\n}\n`);
  const agent = await startAgent(['--corefile', path]);
  try {
    await ask(agent, { name: 'www.example', type: 'A' });
    const status = async (port: number, page: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}${page}`)).status;
    for (const port of [health, ready]) {
      assert.deepEqual([await status(port, '/health'), await status(port, '/ready')], [200, 200]);
      assert.deepEqual([await status(port, '/api/v1/status'), await status(port, '/metrics')], [404, 404]);
    }
  } finally {
    await agent.stop();
  }
});
