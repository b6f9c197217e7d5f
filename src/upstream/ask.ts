import type { RelayTarget } from './relay.ts';

/** Why no answer came. A stable word: it stands in metrics, logs and the text of extended errors (RFC 8914). */
export type Failure =
  | 'timeout' // asked, silent until all tries were over
  | 'unreachable' // refused, reset or no route, on every try
  | 'all-down' // known to be down, not asked
  | 'looped' // all lead back to this agent, not asked
  | 'overload'; // our own limit; never cached

/** Who gave an answer; `Upstream` fulfils it. */
export interface Answerer {
  /** `127.0.0.1:53`. */
  readonly label: string;
}

/**
 * One question on its way out. The resolver makes it; a forwarder calls exactly one of `onAnswer` and `onFailure`, once, and never
 * before `ask` has returned.
 */
export interface Ask {
  /**
   * A whole query in wire form, in [0, end): header (ID 0), question, OPT. Not changed: a transport writes its own ID into its own copy. The bytes are
   * the caller's again with the callback.
   */
  readonly message: Uint8Array;
  /** Offset just after the question, in `message`. */
  readonly questionEnd: number;
  readonly end: number;
  /** The reply's bytes lie in [start, end) and are valid during the call only. Its ID is the transport's; the question was compared. */
  onAnswer(message: Uint8Array, start: number, end: number, upstream: Answerer): void;
  onFailure(failure: Failure): void;
}

/** Whoever takes questions; `Forwarder` fulfils it. */
export interface Asker {
  ask(ask: Ask): void;
  /** No upstream is thought to be alive, so that an answer is unlikely. */
  readonly isAllDown: boolean;
  /** Whom messages are relayed to that only one server can answer: the first, and the next where it cannot be reached. Always in the order of the configuration. */
  relayTargets(): readonly RelayTarget[];
}
