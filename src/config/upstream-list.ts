import { type Complaints, shown } from './complaints.ts';
import type { SocketAddress, TransportName, UpstreamAddress } from './config.ts';
import { Refusal } from './refusal.ts';
import type { Said } from './settings.ts';
import { formatSocketAddress } from './socket-address.ts';
import { parseUpstreamAddress, upstreamKey } from './upstream-address.ts';

/** More servers for one zone than this is a mistake, not a wish; CoreDNS has the same bound. */
const MAX_UPSTREAMS = 15;

/** What messages call a list of upstreams that came with flags. */
interface ListName {
  readonly code: string;
  /** `use 10.0.0.1 as the cluster DNS` */
  action(value: string): string;
}

/** Reads lists of upstreams. An address that the agent itself listens on is refused: a query would go round for ever. */
export class UpstreamLists {
  readonly #complaints: Complaints;
  readonly #listen: ReadonlySet<string>;

  constructor(complaints: Complaints, listen: readonly SocketAddress[]) {
    this.#complaints = complaints;
    this.#listen = new Set(listen.map(formatSocketAddress));
  }

  /** Those that can be used, each once. What cannot is complained about. */
  read(said: readonly Said[], bareTransport: TransportName, { code, action }: ListName): UpstreamAddress[] {
    if (said.length > MAX_UPSTREAMS) this.#complainOfMany(said, code);
    const addresses = said.map((value) =>
      this.#complaints.readSaid(code, action, value, (text) =>
        this.#foreign(parseUpstreamAddress(text, bareTransport)),
      ),
    );
    return distinct(addresses.filter((address) => address !== undefined));
  }

  /** Is this one of the agent's own listen addresses? */
  isOwn(address: SocketAddress): boolean {
    return this.#listen.has(formatSocketAddress(address));
  }

  #foreign(address: UpstreamAddress): UpstreamAddress {
    if (this.isOwn(address)) {
      throw new Refusal(
        `${formatSocketAddress(address)} is this agent's own listen address, so a query would go round for ever; give the server that knows the answers`,
      );
    }
    return address;
  }

  #complainOfMany(said: readonly Said[], code: string): void {
    const { name, place } = said[MAX_UPSTREAMS]!.origin;
    const what = `Cannot use ${said.length} addresses (${name}): expected at most ${MAX_UPSTREAMS}`;
    this.#complaints.add(code, place === undefined ? what : `${shown(place)}: ${what}`);
  }
}

function distinct(addresses: readonly UpstreamAddress[]): UpstreamAddress[] {
  return [...new Map(addresses.map((address) => [upstreamKey(address), address])).values()];
}
