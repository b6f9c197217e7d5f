import type { SocketAddress } from '../config/config.ts';
import { formatSocketAddress, isWildcard } from '../config/socket-address.ts';
import { ConfigError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { loadLibc } from '../native/libc.ts';
import { UvPoll } from '../native/uv-poll.ts';
import { BatchedUdpListener } from './udp-batched.ts';
import type { UdpKind, UdpListener, UdpListenerParts } from './udp-listener.ts';
import { PortableUdpListener } from './udp-portable.ts';

/** From the best on. The last one works wherever Node.js does. */
export const UDP_KINDS: readonly UdpKind[] = ['batched', 'batched-dgram', 'portable'];

/** Opens UDP listeners of the best kind that this platform has. */
export class UdpOpener {
  readonly kind: UdpKind;

  /** Tries the kinds in order; whatever is passed over is told in one line. */
  static async choose(log: Logger, kinds: readonly UdpKind[] = UDP_KINDS, prepare = prepareKind): Promise<UdpOpener> {
    const reasons: string[] = [];
    for (const kind of kinds) {
      try {
        await prepare(kind);
      } catch (error) {
        reasons.push(`${kind}: ${(error as Error).message}`);
        continue;
      }
      if (reasons.length > 0) log.warn({ udp: kind, reasons }, 'UDP runs slower than it could');
      return new UdpOpener(kind);
    }
    throw new Error(reasons.join('; '));
  }

  private constructor(kind: UdpKind) {
    this.kind = kind;
  }

  /** Throws `ConfigError` where a reply could leave from another address than was asked. */
  expectServable(address: SocketAddress): void {
    if (!isWildcard(address.host) || this.kind === 'batched') return;
    throw new ConfigError(
      'ERR_LISTEN_WILDCARD',
      `Cannot listen on ${formatSocketAddress(address)} (--listen): on this platform replies would not always leave from the address that was asked. ` +
        'Give each address of this machine that is to answer, such as 169.254.20.10',
    );
  }

  /** Throws what the system said. */
  async open(address: SocketAddress, parts: UdpListenerParts): Promise<UdpListener> {
    if (this.kind === 'portable') return await PortableUdpListener.open(address, parts);
    return await BatchedUdpListener.open(address, this.kind, parts);
  }
}

/** Rejects where the kind cannot be had. */
async function prepareKind(kind: UdpKind): Promise<void> {
  if (kind === 'portable') return;
  await loadLibc();
  if (kind === 'batched') await UvPoll.load();
}
