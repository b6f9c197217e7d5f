import type { Clock } from '../../core/clock.ts';
import { RELAYS, RELAYS_PER_CLIENT } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { Timer, TimerWheel } from '../../core/timer-wheel.ts';
import type { TroubleLog } from '../../core/trouble-log.ts';
import { SOURCE_FORWARD, SOURCE_LOCAL } from '../../metrics/traffic.ts';
import { NO_ZONE } from '../../metrics/zone-ids.ts';
import type { RouteTable } from '../../route/route-table.ts';
import {
  HEADER_LENGTH,
  RCODE_FORMERR,
  RCODE_NOERROR,
  RCODE_NOTAUTH,
  RCODE_NOTIMP,
  RCODE_REFUSED,
  RCODE_SERVFAIL,
} from '../../wire/constants.ts';
import { nameToText } from '../../wire/name.ts';
import { QueryView } from '../../wire/query.ts';
import { Reply } from '../../wire/reply.ts';
import { rcodeToText } from '../../wire/type-names.ts';
import type { Client } from '../client.ts';
import type { Composer } from '../composer.ts';
import { LOOPED, NO_UPSTREAM, OVERLOADED, TIMED_OUT } from '../extended-errors.ts';
import { ANSWERED, DROPPED, HELD } from '../responder.ts';
import type { Zone } from '../zone.ts';
import type { FlushReason, ZoneFlush } from '../zone-flush.ts';
import { DoubtfulFlush } from './doubtful-flush.ts';
import { RelayCounts } from './relay-counts.ts';
import { type RelayKind, relayKind } from './relay-kind.ts';
import { Relaying, type RelayingOwner, type RelayOutcome, rcodeOf } from './relaying.ts';
import { TransferEnd } from './transfer-end.ts';

export interface PassThroughParts {
  clock: Clock;
  composer: Composer;
  flush: ZoneFlush;
  log: Logger;
  routes: RouteTable<Zone>;
  troubles: TroubleLog;
  wheel: TimerWheel;
}

const NO_OPTIONS = new Uint8Array(0);

/**
 * What must not be changed on its way, and what only one server can answer: updates, NOTIFY and other opcodes, signed messages, TKEY and zone transfers
 * (docs/dynamic-updates.md). They go to the first server of their zone byte for byte, and what comes back goes to the client in the same way.
 */
export class PassThrough implements RelayingOwner {
  readonly counts = new RelayCounts();
  readonly #parts: PassThroughParts;
  readonly #doubtfulFlush: DoubtfulFlush;
  readonly #reply = new Reply();
  readonly #ownReply = new Reply();
  readonly #ownQuery = new QueryView(0);
  readonly #relays = new Set<Relaying>();
  readonly #perClient = new Map<string, number>();
  #routes: RouteTable<Zone>;

  constructor(parts: PassThroughParts) {
    this.#parts = parts;
    this.#routes = parts.routes;
    this.#doubtfulFlush = new DoubtfulFlush(parts.flush, parts.wheel);
  }

  /** From the next message on. */
  replaceRoutes(routes: RouteTable<Zone>): void {
    this.#routes = routes;
  }

  /** ANSWERED, HELD or DROPPED, as `Responder.respond` has them. `query`: read, with the verdict QUERY_RELAY. */
  pass(query: QueryView, nowMs: number, client: Client, reply: Reply): number {
    const kind = relayKind(query);
    const bytes = query.end - query.start;
    const isRoutable = query.nameEnd !== 0;
    const zone = isRoutable ? this.#routes.lookup(query.bytes, query.start + HEADER_LENGTH, query.nameEnd) : undefined;
    client.traffic.request(zone?.id ?? NO_ZONE, query.type, bytes, query.dnssecOk);
    const servers = zone?.forwarder?.relayTargets();
    // DNS over HTTPS is for questions (RFC 8484, section 1): whoever offers it takes neither updates nor transfers.
    const targets = servers?.filter(({ address }) => address.transport !== 'https');
    if (zone === undefined || servers === undefined || targets === undefined) {
      return this.#refuse(query, kind, zone, client, reply);
    }
    if (targets.length === 0) {
      if (servers.length > 0) return this.#refuse(query, kind, zone, client, reply);
      // All of them lead back to us, for now.
      this.counts.ended[kind].unreachable++;
      return this.#answerOwn(query, RCODE_SERVFAIL, LOOPED, zone.id, client, reply);
    }

    const address = addressOf(client.peer);
    if (!this.#hasRoom(address)) {
      this.counts.ended[kind].overload++;
      return this.#answerOwn(query, RCODE_SERVFAIL, OVERLOADED, zone.id, client, reply);
    }
    const message = query.bytes.slice(query.start, query.end);
    const transferEnd =
      kind === 'transfer' && client.isStream
        ? new TransferEnd(message, query.questionEnd - query.start, query.type)
        : undefined;
    const request = {
      message,
      kind,
      zone,
      nameLength: query.nameEnd - query.start - HEADER_LENGTH,
      isStream: client.isStream,
      traffic: client.traffic,
      client: address,
      receivedMs: nowMs,
      transferEnd,
    };
    const relaying = new Relaying(request, targets, this.#reply, this);
    const stream = transferEnd && client.holdStream(relaying);
    const sink = transferEnd ? undefined : client.hold();
    if (stream === undefined && sink === undefined) return DROPPED;
    this.#count(relaying, 1);
    this.counts.bytesOut[kind] += bytes;
    // Not before this has returned: the listener may be in the middle of a batch.
    setImmediate(() => relaying.begin(sink, stream));
    return HELD;
  }

  setTimer(timer: Timer, delayMs: number): void {
    this.#parts.wheel.set(timer, delayMs);
  }

  clearTimer(timer: Timer): void {
    this.#parts.wheel.clear(timer);
  }

  /** Before the client hears of it, so that its next query sees the change. */
  onAnswer(relaying: Relaying, bytes: Uint8Array, start: number): void {
    if (rcodeOf(bytes, start) !== RCODE_NOERROR) return;
    const { kind } = relaying.request;
    if (kind === 'update' && changesAny(relaying)) this.#parts.flush.flush(zoneOf(relaying), 'update');
    else if (kind === 'notify') this.#flushDoubtful(relaying, 'notify');
  }

  onEnd(relaying: Relaying, outcome: RelayOutcome, reason: string): void {
    const { kind, zone, traffic, receivedMs } = relaying.request;
    this.#count(relaying, -1);
    this.counts.ended[kind][outcome]++;
    this.counts.bytesBack[kind] += relaying.answerBytes;
    if (kind === 'update' && relaying.isSent && outcome !== 'answered') this.#flushUnanswered(relaying);
    const isOurs = outcome !== 'answered';
    const rcode = isOurs ? RCODE_SERVFAIL : relaying.rcode;
    if (isOurs) this.#giveFailure(relaying, outcome);
    const durationMs = this.#parts.clock.nowMs() - receivedMs;
    traffic.response(zone.id, rcode, relaying.answerBytes, durationMs, isOurs ? SOURCE_LOCAL : SOURCE_FORWARD);
    this.#tell(relaying, outcome, reason, rcode);
  }

  /** Whether the update took effect is not known. While no server of the zone is alive, what is in the cache is all that there is. */
  #flushUnanswered(relaying: Relaying): void {
    const { forwarder } = relaying.request.zone;
    if (changesAny(relaying) && !forwarder!.isAllDown) this.#flushDoubtful(relaying, 'update');
  }

  /**
   * Not the root nor what is right below it, which nobody changes through a node's agent, and not the cluster's names, which the cluster DNS has from Kubernetes: it
   * takes NOTIFY from anybody, and any pod could empty the cache.
   */
  #flushDoubtful(relaying: Relaying, reason: FlushReason): void {
    const zone = zoneOf(relaying);
    const isTopLevel = zone[0] === 0 || zone[1 + zone[0]!] === 0;
    if (!isTopLevel && !relaying.request.zone.isCluster) this.#doubtfulFlush.note(zone, reason);
  }

  /** Ends all that is under way. */
  close(): void {
    for (const relaying of this.#relays) relaying.abort();
  }

  /** What the message stands in the log and in an error with. */
  #tell(relaying: Relaying, outcome: RelayOutcome, reason: string, rcode: number): void {
    const { kind, message, client } = relaying.request;
    const fields = { kind, name: nameToText(message, HEADER_LENGTH), client, to: relaying.target };
    if (kind === 'tkey' && outcome === 'answered' && rcode !== RCODE_NOERROR) {
      // The client only says that it got no ticket accepted: often the key's name has gone to another server than its zone's.
      this.#parts.troubles.report(
        `relay tkey ${relaying.target}`,
        'a TKEY exchange was refused: is its name routed to the server of its zone?',
        {
          ...fields,
          rcode: rcodeToText(rcode),
        },
      );
    } else if (outcome === 'answered' || outcome === 'client-gone') {
      this.#parts.log.debug({ ...fields, outcome, rcode: rcodeToText(rcode), bytes: relaying.answerBytes }, 'relayed');
    } else {
      this.#parts.troubles.report(`relay ${kind} ${outcome} ${relaying.target}`, 'a message could not be relayed', {
        ...fields,
        outcome,
        reason,
      });
    }
  }

  /** A client that left is not told. An unsigned failure is all that we can say of a signed message: its client must not take it for more (RFC 8945, section 5.4). */
  #giveFailure(relaying: Relaying, outcome: RelayOutcome): void {
    const query = this.#ownQuery;
    const { message } = relaying.request;
    query.read(message, 0, message.length);
    const ede = outcome === 'timeout' ? TIMED_OUT : NO_UPSTREAM;
    this.#parts.composer.composeRcode(query, RCODE_SERVFAIL, ede, this.#ownReply);
    relaying.giveOwn(this.#ownReply);
  }

  /**
   * Without a name there is no way to go: a message of a known form is malformed then (RFC 2136, section 3.1.1; RFC 1996, section 3.7), another is of
   * a kind that nobody here serves (RFC 3425, RFC 8490). We are no authority for the names that are answered here.
   */
  #refuse(query: QueryView, kind: RelayKind, zone: Zone | undefined, client: Client, reply: Reply): number {
    this.counts.ended[kind].refused++;
    let rcode = RCODE_REFUSED;
    if (zone === undefined) rcode = kind === 'update' || kind === 'notify' ? RCODE_FORMERR : RCODE_NOTIMP;
    else if (kind === 'update' || kind === 'notify') rcode = RCODE_NOTAUTH;
    return this.#answerOwn(query, rcode, NO_OPTIONS, zone?.id ?? NO_ZONE, client, reply);
  }

  #answerOwn(query: QueryView, rcode: number, ede: Uint8Array, zone: number, client: Client, reply: Reply): number {
    this.#parts.composer.composeRcode(query, rcode, ede, reply);
    client.traffic.response(zone, rcode, reply.length, 0, SOURCE_LOCAL);
    return ANSWERED;
  }

  #hasRoom(address: string): boolean {
    if (this.#relays.size >= RELAYS.value) {
      RELAYS.hits++;
      return false;
    }
    if ((this.#perClient.get(address) ?? 0) < RELAYS_PER_CLIENT.value) return true;
    RELAYS_PER_CLIENT.hits++;
    return false;
  }

  #count(relaying: Relaying, by: 1 | -1): void {
    const { client, kind } = relaying.request;
    const count = (this.#perClient.get(client) ?? 0) + by;
    if (count === 0) this.#perClient.delete(client);
    else this.#perClient.set(client, count);
    if (by === 1) this.#relays.add(relaying);
    else this.#relays.delete(relaying);
    this.counts.open[kind] += by;
  }
}

/** Of `192.0.2.1:4242`, `[::1]:53`. */
function addressOf(peer: string): string {
  return peer.slice(0, peer.lastIndexOf(':'));
}

/** Whether the update section has records: prerequisites alone may be asked by anybody, and change nothing (RFC 2136, section 3). */
function changesAny({ request: { message } }: Relaying): boolean {
  return message[8] !== 0 || message[9] !== 0;
}

/** The name in the zone section, lower case. */
function zoneOf({ request: { message, nameLength } }: Relaying): Uint8Array {
  const zone = message.slice(HEADER_LENGTH, HEADER_LENGTH + nameLength);
  for (let i = 0; i < zone.length; i++) {
    // Length octets are below 64 and so not letters.
    if (zone[i]! >= 0x41 && zone[i]! <= 0x5a) zone[i]! |= 0x20;
  }
  return zone;
}
