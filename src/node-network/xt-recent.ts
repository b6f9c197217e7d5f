import { existsSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { SignpostError } from '../core/errors.ts';
import { type IptablesSwitch, LIFE_SECONDS, switchName } from './iptables-switch.ts';
import type { Family } from './wanted-state.ts';

const FAMILIES: readonly Family[] = [4, 6];

/**
 * The switch as a list of addresses with the time when each was last written, where the kernel has no ipset. Each family has a list of its own, for a list has one
 * mask for all, which IPv4's would be too short. The list is there as long as rules refer to it. A port is no part of it: rules have it.
 */
export class RecentSwitch implements IptablesSwitch {
  readonly name = 'xt_recent';
  readonly needsNoRules = false;

  isArmed(family: Family): string {
    return `-m recent --rcheck --seconds ${LIFE_SECONDS} --name ${switchName(family)} --rdest`;
  }

  isDisarmed(family: Family): string {
    return `-m recent ! --rcheck --seconds ${LIFE_SECONDS} --name ${switchName(family)} --rdest`;
  }

  async prepare(): Promise<void> {}

  renew(listen: readonly SocketAddress[]): Promise<void> {
    return writeLists(listen, '+');
  }

  withdraw(listen: readonly SocketAddress[]): Promise<void> {
    return writeLists(listen, '-');
  }

  async remove(): Promise<void> {}

  close(): void {}
}

/** Whether rules refer to a list of ours. */
export function isRecentThere(): boolean {
  return FAMILIES.some((family) => existsSync(pathOf(family)));
}

/** The kernel takes one command a write, at once; without waiting in between no withdrawal is overtaken by a renewal. */
async function writeLists(listen: readonly SocketAddress[], sign: '+' | '-'): Promise<void> {
  for (const host of new Set(listen.map((address) => address.host))) {
    const path = pathOf(isIPv6(host) ? 6 : 4);
    try {
      writeFileSync(path, `${sign}${host}\n`);
    } catch (error) {
      throw new SignpostError('ERR_SWITCH', `Cannot write ${sign}${host} to ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

function pathOf(family: Family): string {
  return `/proc/net/xt_recent/${switchName(family)}`;
}
