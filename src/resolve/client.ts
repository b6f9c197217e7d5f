import type { Traffic } from '../metrics/traffic.ts';
import type { Reply } from '../wire/reply.ts';

/** Whoever sent the message that is being answered: a UDP listener at the moment of a datagram, or a TCP connection. */
export interface Client {
  /** TCP: a reply of any size goes out whole. UDP: it is cut to what the client can take. */
  readonly isStream: boolean;
  /** Address and port, `192.0.2.1:4242`; made when it is read, which only a sampled log line does. */
  readonly peer: string;
  /** Writes its address to the start of `target`: 16 octets, of which IPv4 has the last four (RFC 4291, section 2.5.5.2). */
  readAddress(target: Uint8Array): void;
  /** Where its queries are counted. */
  readonly traffic: Traffic;
  /**
   * Called at most once per message, when no answer can be given in the same call: keeps what is needed to send one later.
   * Undefined where the client has too many questions open already; the message is then dropped.
   */
  hold(): ReplySink | undefined;
  /** The same, for an answer of many messages. Undefined also where there can be only one: over UDP. */
  holdStream(source: StreamSource): ReplyStream | undefined;
}

/** Where the answer to one held message goes. Exactly one of the two is called, once. */
export interface ReplySink {
  /** Sends or copies before it returns: the pieces of `reply` belong to others. */
  send(reply: Reply): void;
  /** There will be no answer. */
  drop(): void;
}

/** Where the many messages go that answer one. */
export interface ReplyStream {
  /** Sends or copies a whole message. False: the client does not take them as fast as they come; `onDrain` is called when it has taken these. */
  write(bytes: Uint8Array, start: number, end: number): boolean;
  /** That was the last one. Called once. */
  end(): void;
}

/** Who writes to a stream of replies. */
export interface StreamSource {
  onDrain(): void;
  /** The client has left; nothing that is written reaches it, and `end` need not be called. */
  onGone(): void;
}
