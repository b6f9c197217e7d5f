import type { Exchange } from './exchange.ts';

/** The protocols that questions leave by: the value of the label `proto`. */
export type Protocol = 'udp' | 'tcp' | 'tls' | 'https';

/** One way to ask one server: its connections or sockets. `udp-pool.ts` and `tcp-pool.ts` fulfil it. */
export interface Transport {
  readonly proto: Protocol;
  /** Connections or sockets. */
  readonly size: number;
  /** What was sent and not answered, what nobody waits for any more included. */
  readonly inFlight: number;
  /** Read by the metrics: questions for which a connection was there, and for which one had to be opened. */
  readonly hits: number;
  readonly misses: number;
  /** False where there is no room. */
  ask(exchange: Exchange): boolean;
  /** Once a second: what has become idle, old, silent or superfluous. */
  inspect(nowMs: number): void;
  /** Takes no more questions; what is in flight is still answered. */
  drain(): void;
  /** Ends all at once; what is in flight gets no answer. */
  close(): void;
}

/** One whose connections may be stalled. */
export interface StreamTransport extends Transport {
  /** Read by the metrics: connections that gave no reply for too long, questions asked elsewhere for that, handshakes, those that a ticket made short. */
  readonly stalls: number;
  readonly reasked: number;
  readonly handshakes: number;
  readonly resumed: number;
  /** The server asked us to leave it alone for a while. */
  readonly isPaused: boolean;
  /** Asks over any connection with room, stalled or not. */
  askAnyhow(exchange: Exchange): boolean;
}
