import type { SocketAddress } from '../config/config.ts';
import type { Family } from './wanted-state.ts';

/** Elements live so long from their renewal on. */
export const LIFE_SECONDS = 3;

/** The list or set of one family. */
export function switchName(family: Family): string {
  return `signpost-${family}`;
}

/** What in the kernel says for three seconds that the agent lives, in a way that iptables can match. */
export interface IptablesSwitch {
  readonly name: 'ipset' | 'xt_recent';
  /** It can be renewed before there are rules that refer to it. */
  readonly needsNoRules: boolean;
  /** The match that holds while the packet's destination has an element. */
  isArmed(family: Family): string;
  /** The opposite of it. */
  isDisarmed(family: Family): string;
  /** What rules refer to is there, before they are. */
  prepare(families: readonly Family[]): Promise<void>;
  renew(listen: readonly SocketAddress[]): Promise<void>;
  withdraw(listen: readonly SocketAddress[]): Promise<void>;
  /** After the last rule that matches it. */
  remove(): Promise<void>;
  close(): void;
}
