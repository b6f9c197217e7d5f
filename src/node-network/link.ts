import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { SignpostError } from '../core/errors.ts';
import type { Finding } from './rule-kind.ts';
import { runTool } from './tool.ts';

/** Always there, and up: what takes our addresses where the kernel has no dummy links. */
export const LOOPBACK = 'lo';

/** A link as `ip -j address` tells of it. */
export interface ListedLink {
  readonly name: string;
  readonly isUp: boolean;
  readonly addresses: readonly string[];
}

/** The link that holds the listen addresses, and those addresses. A link of that name is used as it is, whatever its kind. */
export class Link {
  readonly #wanted: string;
  #name: string;

  constructor(name: string) {
    this.#wanted = name;
    this.#name = name;
  }

  /** Where the addresses are put. */
  get name(): string {
    return this.#name;
  }

  /** Brings in what is missing. Rejects with `ERR_LINK`, after what could be done was done. */
  async apply(addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0) return;
    // As after a restart: no tool is needed, and 20 ms of the start are spared.
    if (addresses.every(isAtHand)) {
      this.#name = isOn(LOOPBACK, addresses) ? LOOPBACK : this.#wanted;
      return;
    }
    const links = await readLinks();
    await this.#ensure(links);
    const missing = addresses.filter((address) => !isHeld(links, address));
    if (missing.length === 0) return;
    const commands = missing.map((address) => `address add ${addressText(address)} dev ${this.#name}\n`).join('');
    const { code, stderr } = await runTool('ip', ['-force', '-batch', '-'], { input: commands });
    // Somebody else may have added it meanwhile, to any link.
    const failed = missing.filter((address) => !isAtHand(address));
    if (code === 0 || failed.length === 0) return;
    throw new SignpostError('ERR_LINK', `Cannot add ${failed.join(', ')} to ${this.#name}: ${reasonOf(stderr)}`);
  }

  /** What is missing. Costs little while nothing is. */
  async inspect(addresses: readonly string[]): Promise<readonly Finding[]> {
    // Links that are down are not among these.
    if (addresses.every(isAtHand)) return [];
    return compareLinks(this.#name, addresses, await readLinks());
  }

  /** Takes out the link where it is a dummy one, else the addresses alone. Rejects with `ERR_LINK`. */
  async remove(addresses: readonly string[]): Promise<readonly string[]> {
    const links = await readLinks();
    const gone: string[] = [];
    for (const { name, addresses: held } of links) {
      const isOwn = name === this.#wanted;
      if (isOwn && (await isDummy(name))) {
        await ip(['link', 'delete', name]);
        gone.push(`link ${name}`);
      } else if (isOwn || name === LOOPBACK) {
        for (const address of held.filter((one) => addresses.includes(one))) {
          await ip(['address', 'delete', `${address}/${prefixOf(address)}`, 'dev', name]);
          gone.push(`address ${address} of ${name}`);
        }
      }
    }
    return gone;
  }

  async #ensure(links: readonly ListedLink[]): Promise<void> {
    const link = links.find(({ name }) => name === this.#wanted);
    if (link === undefined) {
      const { code } = await runTool('ip', ['link', 'add', this.#wanted, 'type', 'dummy']);
      if (code !== 0) {
        // Either the kernel has none, or somebody was quicker.
        this.#name = (await readLinks()).some(({ name }) => name === this.#wanted) ? this.#wanted : LOOPBACK;
        return;
      }
    }
    this.#name = this.#wanted;
    if (link === undefined || !link.isUp) await ip(['link', 'set', this.#wanted, 'up']);
  }
}

/** What is missing of link and addresses. */
export function compareLinks(
  name: string,
  addresses: readonly string[],
  links: readonly ListedLink[],
): readonly Finding[] {
  const findings: Finding[] = [];
  const link = links.find((one) => one.name === name);
  if (link === undefined) findings.push({ code: 'link-missing', message: `link ${name} is not there` });
  else if (!link.isUp) findings.push({ code: 'link-down', message: `link ${name} is down` });
  for (const address of addresses) {
    if (isHeld(links, address)) continue;
    findings.push({ code: 'address-missing', message: `${address} is on no link of this node (wanted: ${name})` });
  }
  return findings;
}

/** All links of this network namespace. Rejects with `ERR_LINK`. */
export async function readLinks(): Promise<ListedLink[]> {
  return parseLinks(await ip(['-j', 'address', 'show']));
}

export function parseLinks(json: string): ListedLink[] {
  const links = JSON.parse(json) as {
    ifname?: string;
    flags?: string[];
    addr_info?: { local?: string; dadfailed?: boolean }[];
  }[];
  return links.flatMap(({ ifname, flags = [], addr_info = [] }) => {
    if (ifname === undefined) return [];
    const addresses = addr_info.flatMap(({ local, dadfailed }) => (local === undefined || dadfailed ? [] : [local]));
    return [{ name: ifname, isUp: flags.includes('UP'), addresses }];
  });
}

/** On whatever link: what somebody else has put there serves as well. */
function isHeld(links: readonly ListedLink[], address: string): boolean {
  return links.some((link) => link.addresses.includes(address));
}

/** Without asking a tool: of links that are up. */
function isAtHand(address: string): boolean {
  return Object.values(networkInterfaces()).some((held) => held?.some((one) => one.address === address));
}

function isOn(link: string, addresses: readonly string[]): boolean {
  return networkInterfaces()[link]?.some(({ address }) => addresses.includes(address)) ?? false;
}

/**
 * An address that only serves to be asked, and tells by it whose it is (`removeStaleAddresses`): `scope host` and a preferred lifetime of 0 keep the kernel from taking it as the source of anything else. Nobody else can have it, so it
 * need not be looked for (`nodad`), and can be bound at once.
 */
function addressText(address: string): string {
  if (isIPv4(address)) return `${address}/32 scope host preferred_lft 0`;
  return `${address}/128 nodad noprefixroute preferred_lft 0`;
}

function prefixOf(address: string): number {
  return isIPv6(address) ? 128 : 32;
}

async function isDummy(name: string): Promise<boolean> {
  const shown = JSON.parse(await ip(['-j', '-d', 'link', 'show', 'dev', name])) as {
    linkinfo?: { info_kind?: string };
  }[];
  return shown[0]?.linkinfo?.info_kind === 'dummy';
}

/** What `ip` says. Rejects with `ERR_LINK`. */
export async function ip(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool('ip', args);
  if (code !== 0) throw new SignpostError('ERR_LINK', `ip ${args.join(' ')}: ${reasonOf(stderr)}`);
  return stdout;
}

/** `RTNETLINK answers: Operation not permitted` and where in the batch it was. */
function reasonOf(stderr: string): string {
  const line = stderr.trim().split('\n')[0] ?? '';
  if (/Operation not permitted/.test(line)) return `${line} (the capability NET_ADMIN is needed)`;
  // What the kernel says of IPv6 addresses where that is switched off.
  if (/Permission denied|IPv6 is disabled/.test(line)) return `${line} (sysctl net.ipv6.conf.all.disable_ipv6)`;
  return line;
}
