import type { UpstreamAddress } from '../config/config.ts';
import { DatagramRelay } from './datagram-relay.ts';
import { StreamRelay } from './stream-relay.ts';

/** A server that messages are relayed to; `Upstream` fulfils it. */
export interface RelayTarget {
  readonly address: UpstreamAddress;
  /** `127.0.0.1:53`. */
  readonly label: string;
}

/** Who hears what becomes of a relayed message. Nothing is called before `openRelay` has returned. */
export interface RelayOwner {
  /** The message leaves now: from here on it may have its effect. */
  onSent(): void;
  /** One message that came back, valid during the call only. False: no more for now, until `resume`; what has been read already still comes. */
  onMessage(bytes: Uint8Array, start: number, end: number): boolean;
  /** The server ended it, or it failed, for that reason. `isUndelivered`: no server can have had the message. Nothing follows. */
  onClosed(reason: string, isUndelivered: boolean): void;
}

/** One message on its way to one server and what comes back, over a socket of its own, so that its ID is kept. */
export interface Relay {
  resume(): void;
  /** Ends it at once; the owner hears nothing more. */
  close(): void;
}

/**
 * Opens the way to a server and sends it the message, byte for byte. What came as a stream leaves as one (RFC 5625, section 4.4); what came as a datagram
 * too, unless the server is only ever asked in private. `target` is not an https:// one.
 */
export function openRelay(target: RelayTarget, message: Uint8Array, isStream: boolean, owner: RelayOwner): Relay {
  const { transport } = target.address;
  if (isStream || transport === 'tls') return new StreamRelay(target.address, message, owner);
  return new DatagramRelay(target.address, message, owner);
}
