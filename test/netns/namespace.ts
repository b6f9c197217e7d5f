import { execFileSync } from 'node:child_process';
import { run } from '../servers/child.ts';
import { program, refuseInCi, skipWithout } from '../servers/programs.ts';

const made = new Set<string>();
let count = 0;

// Whatever happens to a test, the machine is as it was.
process.on('exit', () => {
  for (const name of made) execFileSync(program('ip'), ['netns', 'delete', name]);
});

/** Why tests with namespaces cannot run here, or false. */
export function skipWithoutNamespaces(...programs: string[]): string | false {
  if (process.getuid?.() !== 0) return refuseInCi('network namespaces need root');
  return skipWithout('ip', ...programs);
}

/** A network of its own: nothing in it but `lo`, which is up and has the addresses that were asked for. */
export class Namespace {
  readonly name: string;
  /** What a command line begins with to run inside. */
  readonly prefix: readonly string[];

  private constructor(name: string) {
    this.name = name;
    this.prefix = [program('ip'), 'netns', 'exec', name];
  }

  /** `addresses` with their prefix length, such as `169.254.20.10/32`. */
  static async create(...addresses: string[]): Promise<Namespace> {
    const namespace = new Namespace(`signpost-${process.pid}-${count++}`);
    await namespace.#ip('netns', 'add', namespace.name);
    made.add(namespace.name);
    const inside = ['-n', namespace.name];
    await namespace.#ip(...inside, 'link', 'set', 'lo', 'up');
    for (const address of addresses) await namespace.#ip(...inside, 'address', 'add', address, 'dev', 'lo');
    return namespace;
  }

  /** Runs a program inside until it ends. */
  run(name: string, ...args: string[]) {
    const [first, ...rest] = this.prefix;
    return run(first!, [...rest, name, ...args]);
  }

  /** What dig says inside, whatever that is. One query, and as much time as an answer may take: where no upstream answers in 5 s, SERVFAIL is said. */
  async dig(...args: string[]): Promise<string> {
    return (await this.run(program('dig'), '+tries=1', '+time=6', ...args)).stdout;
  }

  /** Status and body of an HTTP resource inside. */
  async get(url: string): Promise<string> {
    const script = 'const r = await fetch(process.argv[1]); console.log(r.status, await r.text())';
    return (await this.run(process.execPath, '--input-type=module', '--eval', script, url)).stdout;
  }

  /** Processes inside must have ended. */
  async delete(): Promise<void> {
    await this.#ip('netns', 'delete', this.name);
    made.delete(this.name);
  }

  async #ip(...args: string[]): Promise<void> {
    const { code, stderr } = await run(program('ip'), args);
    if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
  }
}
