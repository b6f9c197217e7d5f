import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Complaints } from '../../src/config/complaints.ts';
import { ConfigErrors } from '../../src/config/config-errors.ts';
import { importCorefile } from '../../src/config/corefile/corefile-reader.ts';
import { Child } from '../servers/child.ts';
import { freePort } from '../servers/free-port.ts';
import { program, skipWithout } from '../servers/programs.ts';
import { CORPUS, CORPUS_ENV, CORPUS_FILES, DIFFERENT } from './corefile-corpus.ts';

const skip = skipWithout('coredns');
const START = '.:PORT {\n B\n whoami\n}\n';

/** One CoreDNS that is told to read one Corefile after the other; it keeps the last good one where it refuses one. */
class Judge {
  readonly folder: string;
  readonly #ports: Readonly<Record<string, string>>;
  #child: Child | undefined;

  constructor(folder: string, ports: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#ports = ports;
  }

  filled(text: string): string {
    const names = new RegExp(`\\b(?:B|${Object.keys(this.#ports).join('|')})\\b`, 'g');
    return text.replace(names, (name) => this.#ports[name] ?? 'bind 127.0.0.1');
  }

  async start(): Promise<void> {
    await writeFile(join(this.folder, 'Corefile'), this.filled(START));
    const env = { ...process.env, ...CORPUS_ENV };
    // Where a Corefile names no port, one that nobody else on the machine listens at.
    const args = ['-conf', 'Corefile', '-dns.port', String(await freePort())];
    this.#child = new Child(program('coredns'), args, { cwd: this.folder, env });
    await this.#child.waitUntil('started', () => this.#child!.output.includes('CoreDNS-'));
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
  }

  /** Undefined where it takes the Corefile, else what it says. */
  async refusal(corefile: string): Promise<string | undefined> {
    const child = this.#child!;
    await writeFile(join(this.folder, 'Corefile'), corefile);
    const length = child.output.length;
    const said = (): string => child.output.slice(length);
    const verdict = /Reloading complete|(?:Restart failed|ERROR\] SIGUSR1): .*/;
    child.kill('SIGUSR1');
    await child.waitUntil('done with the Corefile', () => verdict.test(said()));
    const [line = ''] = verdict.exec(said())!;
    return line === 'Reloading complete' ? undefined : line;
  }
}

let judge: Judge;

before(async () => {
  if (skip) return;
  const folder = await mkdtemp(join(tmpdir(), 'signpost-corefile-'));
  const [port, health, metrics] = [await freePort(), await freePort(), await freePort()];
  judge = new Judge(folder, { PORT: String(port), HEALTH: String(health), METRICS: String(metrics) });
  for (const [name, text] of Object.entries(CORPUS_FILES)) await writeFile(join(folder, name), judge.filled(text));
  await judge.start();
});

after(async () => {
  if (skip) return;
  await judge.stop();
  await rm(judge.folder, { recursive: true, force: true });
});

/** What we say of it: undefined where it is taken. */
function ownRefusal(corefile: string): string | undefined {
  const complaints = new Complaints();
  const inFolder = (path: string): string => join(judge.folder, path);
  const surroundings = {
    env: CORPUS_ENV,
    isTerminal: false,
    readFile: (path: string) => readFileSync(inFolder(path), 'utf8'),
    listFolder: (path: string) => readdirSync(inFolder(path)),
  };
  try {
    importCorefile(corefile, 'Corefile', {}, surroundings, complaints);
    complaints.throwIfAny();
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    return error.message;
  }
}

test('a Corefile is taken where CoreDNS takes it, and refused where CoreDNS refuses it', { skip }, async () => {
  const differences: object[] = [];
  let taken = 0;
  for (const text of CORPUS) {
    const corefile = judge.filled(text);
    const [theirs, ours] = [await judge.refusal(corefile), ownRefusal(corefile)];
    if (theirs === undefined) taken++;
    if (((theirs === undefined) !== (ours === undefined)) !== DIFFERENT.has(text))
      differences.push({ corefile, theirs, ours });
  }
  assert.deepEqual(differences, []);
  assert.ok(taken > CORPUS.length / 3 && taken < CORPUS.length, `${taken} of ${CORPUS.length} were taken`);
});
