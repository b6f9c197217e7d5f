import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { refuseInCi, skipWithout } from '../servers/programs.ts';
import { ChrootBuild, chroot, listIn } from './chroot-build.ts';
import { readStages } from './dockerfile.ts';

const ROOT = join(import.meta.dirname, '../..');
/** The Debian that the image's base is, with the one library that Node.js wants besides. Made once; a minute on a machine that has never done it. */
const DEBIAN = join(ROOT, '.cache/testbed/bookworm');
const stages = readStages(join(ROOT, 'Dockerfile'));

const whyNot =
  process.getuid?.() === 0 ? skipWithout('debootstrap', 'unshare', 'npm') : refuseInCi('a chroot needs root');

/** As the image's ENTRYPOINT, in the image's working folder. */
const entry = JSON.parse(stages.at(-1)!.steps.find(({ word }) => word === 'ENTRYPOINT')!.text) as string[];

suite('the steps of the Dockerfile, done in a chroot', { skip: whyNot }, () => {
  const folder = whyNot === false ? mkdtempSync(join(tmpdir(), 'signpost-image-')) : '';
  const build = new ChrootBuild({ context: ROOT, debian: DEBIAN, folder });
  let image: string;

  before(() => {
    makeDebian();
    image = build.build(stages, { TARGETARCH: process.arch === 'x64' ? 'amd64' : process.arch });
  });
  after(() => build.remove());

  const inside = (...command: string[]): string => chroot(image, '/signpost', command);

  test('the image holds what runs and nothing else of ours', () => {
    assert.deepEqual(listIn(image, 'signpost').sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'bin',
      'dist',
      'manifests',
      'node_modules',
      'package.json',
    ]);
    assert.deepEqual(
      ['typescript', 'esbuild', '@biomejs', 'node'].filter((name) =>
        listIn(image, 'signpost/node_modules').includes(name),
      ),
      [],
    );
    assert.deepEqual(listIn(image, 'var/lib/apt/lists'), []);
  });

  test('every tool that sets up the node is in it, in both kinds of iptables', () => {
    assert.match(inside('nft', '--version'), /^nftables v/);
    assert.match(inside('iptables-nft', '--version'), /nf_tables/);
    assert.match(inside('iptables-legacy', '--version'), /legacy/);
    assert.match(inside('ip6tables-legacy-restore', '--version'), /legacy/);
    assert.match(inside('ipset', '--version'), /^ipset v/);
    assert.match(inside('ip', '-Version'), /iproute2/);
    assert.match(inside('bash', '--version'), /GNU bash/);
  });

  test('its entry point runs every command', () => {
    assert.match(inside(...entry, '--version'), /^\d+\.\d+\.\d+\n$/);
    assert.match(inside(...entry, 'manifests'), /kind: DaemonSet/);
    assert.equal(inside('signpost', '--version'), inside(...entry, '--version'));
  });

  test('the agent in it answers, by the batched listener that its native binary makes', async () => {
    const upstreams = ['--cluster-dns', '127.0.0.1:9', '--upstream', '127.0.0.1:9'];
    const script = [
      'ip link set lo up',
      `${entry.join(' ')} serve --listen 127.0.0.1 --lameduck 0s ${upstreams.join(' ')} & agent=$!`,
      'until exec 3<>/dev/tcp/127.0.0.1/9254; do sleep 0.1; done 2> /dev/null',
      String.raw`printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3`,
      'grep --text signpost_udp_listener_info <&3',
      `${entry.join(' ')} query localhost --server 127.0.0.1`,
      'kill $agent; wait $agent',
    ].join('\n');
    const said = chroot(image, '/signpost', ['bash', '-c', script], {}, ['--net']);
    assert.match(said, /signpost_udp_listener_info\{[^}]*kind="batched"/);
    assert.match(said, /127\.0\.0\.1/);
  });

  test('for another architecture npm fetches the native binary of that one', () => {
    const packages = stages.filter(({ name }) => name === 'packages');
    const other = new ChrootBuild({ context: ROOT, debian: DEBIAN, folder: join(folder, 'other') });
    mkdirSync(join(folder, 'other'));
    const root = other.build(packages, { TARGETARCH: 'arm64' });
    assert.deepEqual(listIn(root, 'signpost/node_modules/@koromix'), ['koffi-linux-arm64']);
    other.remove();
  });
});

function makeDebian(): void {
  if (existsSync(DEBIAN)) return;
  const draft = `${DEBIAN}.draft`;
  mkdirSync(dirname(DEBIAN), { recursive: true });
  rmSync(draft, { recursive: true, force: true });
  const made = spawnSync('debootstrap', ['--variant=minbase', '--include=libatomic1', 'bookworm', draft], {
    encoding: 'utf8',
  });
  assert.equal(made.status, 0, `${made.stdout}${made.stderr}`.slice(-4000));
  renameSync(draft, DEBIAN);
}
