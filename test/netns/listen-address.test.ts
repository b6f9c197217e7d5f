import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { refuseInCi, skipWithout } from '../servers/programs.ts';

const manifest = (name: string) => parse(readFileSync(join(import.meta.dirname, '../../manifests/base', name), 'utf8'));
const settings = manifest('config-map.yaml').data;
const [address] = manifest('daemon-set.yaml').spec.template.spec.initContainers;
const command = address.command
  .map((word: string) => word.replace(/\$\((\w+)\)/, (_, name: string) => settings[name]))
  .join(' ');

const mayUnshare = spawnSync('unshare', ['--net', 'true']).status === 0;
const skip =
  skipWithout('ip', 'unshare', 'setpriv') || (mayUnshare ? false : refuseInCi('may not make a network namespace'));

test('the init container sets the listen address with NET_ADMIN alone, and again without harm', { skip }, () => {
  const script = `${command} && ${command} && ip -oneline address show dev lo`;
  const capabilities = ['--bounding-set', '-all,+net_admin', '--inh-caps', '-all,+net_admin'];
  const { status, stdout, stderr } = spawnSync('unshare', ['--net', 'setpriv', ...capabilities, 'sh', '-c', script], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout.match(/inet 169\.254\.20\.10\/32 scope host/g)?.length, 1, stdout);
});
