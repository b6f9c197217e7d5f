import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SocketAddress } from '../config/config.ts';
import { SignpostError } from '../core/errors.ts';
import { IpsetSession } from './ipset-session.ts';
import { type IptablesSwitch, LIFE_SECONDS, switchName } from './iptables-switch.ts';
import { runTool } from './tool.ts';
import type { Family } from './wanted-state.ts';

const FAMILIES: readonly Family[] = [4, 6];

/** The kernel gives a set back a little after the last rule that referred to it. */
const DESTROY_TRIES = 20;
const DESTROY_PAUSE_MS = 50;

/** The switch as sets with time-outs: an element for each address, protocol and port. */
export class IpsetSwitch implements IptablesSwitch {
  readonly name = 'ipset';
  readonly needsNoRules = true;
  readonly #session = new IpsetSession();
  #latest: Promise<void> = Promise.resolve();

  isArmed(family: Family): string {
    return `-m set --match-set ${switchName(family)} dst,dst`;
  }

  isDisarmed(family: Family): string {
    return `-m set ! --match-set ${switchName(family)} dst,dst`;
  }

  async prepare(families: readonly Family[]): Promise<void> {
    for (const family of families) await runIpset(createSet(family));
  }

  renew(listen: readonly SocketAddress[]): Promise<void> {
    // A set that somebody destroyed is there again; of one that is there, `-exist` makes nothing.
    return this.#inTurn(() => this.#all(listen, true, (set, element) => [`add -exist ${set} ${element}`]));
  }

  withdraw(listen: readonly SocketAddress[]): Promise<void> {
    return this.#inTurn(() => this.#all(listen, false, (set, element) => [`del -exist ${set} ${element}`]));
  }

  async remove(families: readonly Family[] = FAMILIES): Promise<void> {
    const there = (await runTool('ipset', ['list', '-name'])).stdout.split('\n');
    for (const family of families) {
      if (there.includes(switchName(family))) await destroySet(switchName(family));
    }
  }

  close(): void {
    this.#session.close();
  }

  /** One after the other: who writes rules renews, too, and the session answers one at a time. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#latest.then(work);
    this.#latest = done.catch(() => {});
    return done;
  }

  async #all(
    listen: readonly SocketAddress[],
    isIn: boolean,
    command: (set: string, element: string) => readonly string[],
  ): Promise<void> {
    for (const family of FAMILIES) {
      const elements = listen.filter(({ host }) => isIPv6(host) === (family === 6)).flatMap(elementsOf);
      if (elements.length === 0) continue;
      const set = switchName(family);
      const lines = elements.flatMap((element) => command(set, element));
      const answer = await this.#session.command([createSet(family).join(' '), ...lines], set, elements.at(-1)!);
      if (answer !== isIn) {
        throw new SignpostError(
          'ERR_SWITCH',
          `Cannot ${isIn ? 'arm' : 'withdraw'} the switch: set ${set} did not take it`,
        );
      }
    }
  }
}

function createSet(family: Family): string[] {
  const kind = ['hash:ip,port', 'family', family === 6 ? 'inet6' : 'inet'];
  return ['create', '-exist', switchName(family), ...kind, 'timeout', `${LIFE_SECONDS}`];
}

function elementsOf({ host, port }: SocketAddress): string[] {
  return [`${host},udp:${port}`, `${host},tcp:${port}`];
}

async function destroySet(name: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { code, stderr } = await runTool('ipset', ['destroy', name]);
    if (code === 0 || stderr.includes('does not exist')) return;
    if (tries === DESTROY_TRIES)
      throw new SignpostError('ERR_SWITCH', `Cannot remove the set ${name}: ${stderr.trim()}`);
    await sleep(DESTROY_PAUSE_MS);
  }
}

async function runIpset(args: readonly string[]): Promise<void> {
  const { code, stderr } = await runTool('ipset', args);
  if (code !== 0)
    throw new SignpostError('ERR_SWITCH', `Cannot make the switch (ipset ${args.join(' ')}): ${stderr.trim()}`);
}
