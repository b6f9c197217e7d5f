import type { AnswerCache } from '../../cache/answer-cache.ts';
import { AnswerDraft } from '../../cache/answer-draft.ts';
import { type CacheTraffic, HIT_DENIAL } from '../../cache/cache-traffic.ts';
import { keyOf } from '../../cache/key.ts';
import type { Clock } from '../../core/clock.ts';
import type { TimerWheel } from '../../core/timer-wheel.ts';
import { SOURCE_CACHE, SOURCE_LOCAL } from '../../metrics/traffic.ts';
import { cutAt, namespaceAt, serviceAt } from '../../search/cluster-names.ts';
import type { KnownServices } from '../../search/known-services.ts';
import {
  CLASS_IN,
  FLAG_CD,
  FLAG_RD,
  HEADER_LENGTH,
  RCODE_NXDOMAIN,
  TYPE_A,
  TYPE_DS,
  TYPE_SOA,
} from '../../wire/constants.ts';
import type { QueryView } from '../../wire/query.ts';
import type { Reply } from '../../wire/reply.ts';
import type { Client } from '../client.ts';
import type { Composer } from '../composer.ts';
import type { Flight, FlightControl } from '../flight.ts';
import type { Flights } from '../flights.ts';
import { OwnQuestion } from '../own-question.ts';
import { TransientEntry } from '../transient-entry.ts';
import type { Zone } from '../zone.ts';
import { CutFirst } from './cut-first.ts';
import { CUT_ABSENT, CUT_EXISTS, CUT_FAILED, CUT_UNKNOWN, CUT_WAS_ABSENT, Cuts } from './cuts.ts';
import { ZoneDenial } from './zone-denial.ts';

export interface SearchLocalParts {
  cache: AnswerCache;
  cacheTraffic: CacheTraffic;
  clock: Clock;
  composer: Composer;
  flights: Flights;
  control: FlightControl;
  seed: number;
  wheel: TimerWheel;
  /** Which Services there are, where that is known. */
  services: KnownServices;
}

export const NO_FINDING = 0;
/** The name was answered as absent. */
export const IS_ABSENT = 1;
/** It is being asked for, and probably absent. */
export const IS_DOUBTFUL = 2;

/** Not known to be absent. */
const UNPROVED = 0;
const BY_CUT = 1;
const BY_SERVICES = 2;
/** A cut whose time is over, while all upstreams are down. */
const BY_STALE_CUT = 3;

/**
 * For so long after its end a cut that is no Service's and no namespace's still answers: nothing but another configuration of the cluster DNS makes it exist, and that takes CoreDNS
 * half a minute to notice.
 */
const NO_SERVICE_MS = 25_000;

/**
 * Makes a pod's search path short in the cluster's zone, and changes no answer: NXDOMAIN at a name answers all below it (RFC 8020), for as long as that answer
 * lives, and what is not known to be absent is asked together with the name above it, or after it where that did not exist before. docs/search-paths.md has the drawing.
 */
export class SearchLocal {
  /** `--search` is not `off`. */
  isOn = false;
  /** Names answered because one above them does not exist; because there is no Service above them; and the former while all upstreams are down. Read by the metrics. */
  byCut = 0;
  byServices = 0;
  byStaleCut = 0;
  /** Cuts that were asked for. */
  questions = 0;
  /** NO_FINDING, IS_ABSENT or IS_DOUBTFUL: what came of the last name that was answered or asked for, since the caller set this back. */
  finding = NO_FINDING;
  readonly cuts: Cuts;
  readonly #parts: SearchLocalParts;
  readonly #own: OwnQuestion;
  readonly #cutFirst: CutFirst;
  readonly #denial = new ZoneDenial();
  /** What the cut that was found worth asking for looked like. */
  #lastLook = CUT_UNKNOWN;
  readonly #draft = new AnswerDraft();
  readonly #transient = new TransientEntry();

  constructor(parts: SearchLocalParts) {
    this.#parts = parts;
    const { cache, clock, flights, seed, wheel } = parts;
    this.cuts = new Cuts(cache, seed);
    this.#own = new OwnQuestion(seed);
    this.#cutFirst = new CutFirst({ cache, clock, cuts: this.cuts, flights, wheel });
  }

  /** Questions that were held back, and answered by their cut without being asked. */
  get spared(): number {
    return this.#cutFirst.answered;
  }

  /** Whether a question may be answered from what is known of other names: of class IN and a type that speaks of the name, not signed, and meant for a cache. */
  concerns(query: QueryView, zone: Zone): boolean {
    return (
      this.isOn &&
      zone.isCluster &&
      query.class === CLASS_IN &&
      !query.dnssecOk &&
      (query.flags & (FLAG_RD | FLAG_CD)) === FLAG_RD &&
      speaksOfName(query.type)
    );
  }

  /** Fills `reply` and returns true where the name is known to be absent. `query` is one that this `concerns` and the cache has no live entry of. */
  answer(query: QueryView, zone: Zone, nowMs: number, client: Client, reply: Reply): boolean {
    const { bytes, nameEnd } = query;
    const start = query.start + HEADER_LENGTH;
    const proof = this.#prove(bytes, start, nameEnd, zone, nowMs);
    const isBridging = proof === BY_STALE_CUT;
    if (proof === UNPROVED || this.cuts.hasRecords(bytes, start, nameEnd, zone, nowMs, isBridging)) return false;
    const { cache, cacheTraffic, composer } = this.#parts;
    const { memory } = this.#transient;
    if (isBridging) {
      this.byStaleCut++;
      this.#write(query, zone, 1, nowMs);
      composer.composeStale(query, memory, 0, zone.cache.staleTtlSeconds, client.isStream, reply);
    } else if (proof === BY_CUT) {
      this.byCut++;
      cacheTraffic.count(zone.id, HIT_DENIAL);
      this.#write(query, zone, this.#secondsLeft(zone, nowMs), nowMs);
      composer.compose(query, memory, 0, nowMs, client.isStream, 'cache', reply);
      cache.memory.countHit(this.cuts.entry);
    } else {
      this.byServices++;
      this.#write(query, zone, this.#denial.secondsOf(zone), nowMs);
      composer.compose(query, memory, 0, nowMs, client.isStream, 'local', reply);
    }
    const source = proof === BY_SERVICES ? SOURCE_LOCAL : SOURCE_CACHE;
    client.traffic.response(zone.id, RCODE_NXDOMAIN, reply.length, 0, source);
    this.finding = IS_ABSENT;
    return true;
  }

  /** Asks whether the namespace of a name exists, where nothing is known of it: the Services alone have answered for it so far. */
  askNamespace(query: QueryView, zone: Zone): void {
    const { flights } = this.#parts;
    const { bytes, nameEnd } = query;
    const at = namespaceAt(bytes, query.start + HEADER_LENGTH, nameEnd, zone.labels);
    if (at === -1 || zone.forwarder!.isAllDown) return;
    const namespace = this.#own.write(bytes, at, at, at, nameEnd, TYPE_A);
    if (flights.find(namespace, keyOf(namespace.nameHash, TYPE_A, CLASS_IN, 0)) !== undefined) return;
    if (flights.hasRoom(true)) this.#askCut(namespace, zone);
  }

  /**
   * Whether the way out of a flight that has just begun is taken care of: what is asked is the cut above it, and the name itself only where that exists. Else the caller asks; what is above is then
   * asked for beside it, where nothing is known of it.
   */
  depart(flight: Flight, nowMs: number): boolean {
    const { message, questionEnd, zone } = flight;
    if (!this.isOn || flight.dnssecBits !== 0 || !flight.isShared || zone.forwarder!.isAllDown) return false;
    if (message[questionEnd - 1] !== CLASS_IN || message[questionEnd - 2] !== 0) return false;
    if (!speaksOfName((message[questionEnd - 4]! << 8) | message[questionEnd - 3]!)) return false;
    const nameEnd = questionEnd - 4;
    if (this.#isUnknownService(message, HEADER_LENGTH, nameEnd, zone)) this.finding = IS_DOUBTFUL;
    const at = this.#cutToAsk(message, HEADER_LENGTH, nameEnd, zone, nowMs);
    if (at === -1) return false;
    this.finding = IS_DOUBTFUL;
    const wasAbsent = this.#lastLook === CUT_WAS_ABSENT;
    const { flights } = this.#parts;
    const cut = this.#own.write(message, at, at, at, nameEnd, TYPE_A);
    let asked = flights.find(cut, keyOf(cut.nameHash, TYPE_A, CLASS_IN, 0));
    const isUnderWay = asked !== undefined;
    if (asked === undefined) {
      if (!flights.hasRoom(true)) return false;
      asked = this.#askCut(cut, zone);
    }
    if (!(isUnderWay || wasAbsent) || !flights.hasRoomToWait()) return false;
    this.#cutFirst.hold(flight, at, asked, cut, nowMs);
    return true;
  }

  /** Whether it is the own name of a Service that there is not, as far as is known. */
  #isUnknownService(bytes: Uint8Array, start: number, nameEnd: number, zone: Zone): boolean {
    const { services } = this.#parts;
    if (!services.isCurrent) return false;
    return serviceAt(bytes, start, nameEnd, zone.labels) === start && !services.has(bytes, start);
  }

  /** Offset of the cut that is worth asking for, or -1. From the top: a namespace that does not exist spares the questions for all its Services. */
  #cutToAsk(bytes: Uint8Array, start: number, nameEnd: number, zone: Zone, nowMs: number): number {
    const { services } = this.#parts;
    const nearest = cutAt(bytes, start, nameEnd, zone.labels);
    if (nearest === -1) return -1;
    const service = serviceAt(bytes, start, nameEnd, zone.labels);
    if (service !== -1 && services.isCurrent && services.has(bytes, service)) return -1;
    const above = cutAt(bytes, nearest, nameEnd, zone.labels);
    for (const cut of [above, nearest]) {
      if (cut === -1) continue;
      this.#lastLook = this.cuts.look(bytes, cut, nameEnd, nowMs);
      if (this.#lastLook === CUT_WAS_ABSENT) return cut;
      if (this.#lastLook === CUT_UNKNOWN) {
        if (cut === service && this.#isNoService(bytes, cut, nameEnd, nowMs)) this.#lastLook = CUT_WAS_ABSENT;
        return cut;
      }
      if (this.#lastLook !== CUT_EXISTS) return -1;
    }
    return -1;
  }

  /**
   * Whether the label at `at` is rather the end of a name that somebody searches, `www.example.com` or `web.team2`, than a service's: something is known of it as a namespace.
   */
  #isNoService(bytes: Uint8Array, at: number, nameEnd: number, nowMs: number): boolean {
    const namespace = at + 1 + bytes[at]!;
    const svc = namespace + 1 + bytes[namespace]!;
    const asNamespace = this.#own.write(bytes, at, namespace, svc, nameEnd, TYPE_A);
    const state = this.cuts.look(asNamespace.bytes, HEADER_LENGTH, asNamespace.nameEnd, nowMs);
    return state !== CUT_UNKNOWN && state !== CUT_FAILED;
  }

  #prove(bytes: Uint8Array, start: number, nameEnd: number, zone: Zone, nowMs: number): number {
    const { services } = this.#parts;
    const service = services.isCurrent ? serviceAt(bytes, start, nameEnd, zone.labels) : -1;
    const isKnown = service !== -1 && services.has(bytes, service);
    // A Service's own name is for the cluster DNS to say: it may know the Service first, or have an entry of its own there.
    const isBelow = service > start && !isKnown && this.cuts.look(bytes, service, nameEnd, nowMs) !== CUT_EXISTS;
    if (isBelow && this.#knowsSoa(bytes, service, nameEnd, zone, nowMs)) return BY_SERVICES;
    const isNoService = namespaceAt(bytes, start, nameEnd, zone.labels) === -1;
    for (let cut = cutAt(bytes, start, nameEnd, zone.labels); cut !== -1; ) {
      // Where there is the Service, there is its namespace, whatever was said before.
      if (isKnown && cut > service) break;
      const state = this.cuts.look(bytes, cut, nameEnd, nowMs);
      if (state === CUT_ABSENT && this.#learn(zone)) return BY_CUT;
      if (state === CUT_WAS_ABSENT && isNoService && this.#overMs(nowMs) < NO_SERVICE_MS && this.#learn(zone))
        return BY_CUT;
      if (state === CUT_WAS_ABSENT && this.#isBridge(zone, nowMs) && this.#learn(zone)) return BY_STALE_CUT;
      if (state === CUT_FAILED) break;
      cut = cutAt(bytes, cut, nameEnd, zone.labels);
    }
    return UNPROVED;
  }

  /** Whether we can say "no" in the zone's name: with the SOA record that the cluster DNS said it with, of whatever name. */
  #knowsSoa(bytes: Uint8Array, service: number, nameEnd: number, zone: Zone, nowMs: number): boolean {
    if (this.#denial.knows(zone)) return true;
    const namespace = service + 1 + bytes[service]!;
    const state = this.cuts.look(bytes, namespace, nameEnd, nowMs);
    return state !== CUT_UNKNOWN && state !== CUT_FAILED && this.#learn(zone) && this.#denial.knows(zone);
  }

  /** Takes the SOA record of the entry that was looked at last. */
  #learn(zone: Zone): boolean {
    return this.#denial.learn(this.#parts.cache.memory, this.cuts.entry, zone);
  }

  #isBridge(zone: Zone, nowMs: number): boolean {
    return zone.forwarder!.isAllDown && this.#overMs(nowMs) < zone.cache.staleSeconds * 1000;
  }

  /** Since when the time of the entry that was looked at last is over; less than 0: for so long it is not. */
  #overMs(nowMs: number): number {
    return nowMs - this.#parts.cache.memory.freshUntilMs(this.cuts.entry);
  }

  /** As long as the cut lives, and where it may answer for longer, never longer than another "no" of the zone. */
  #secondsLeft(zone: Zone, nowMs: number): number {
    const leftMs = -this.#overMs(nowMs);
    if (leftMs > 0) return Math.ceil(leftMs / 1000);
    return Math.min(this.#denial.secondsOf(zone), Math.ceil((leftMs + NO_SERVICE_MS) / 1000));
  }

  /** An answer that the query's name does not exist, into the transient entry. */
  #write(query: QueryView, zone: Zone, seconds: number, nowMs: number): void {
    this.#denial.fill(this.#draft, zone, seconds);
    this.#transient.write(query, this.#draft, nowMs);
  }

  #askCut(cut: QueryView, zone: Zone): Flight {
    const { flights, control } = this.#parts;
    this.questions++;
    const flight = flights.begin(cut, zone, keyOf(cut.nameHash, TYPE_A, CLASS_IN, 0), true, control);
    zone.forwarder!.ask(flight);
    return flight;
  }
}

/** The cluster DNS says NODATA to SOA at any name, and DS is asked of the zone above. */
function speaksOfName(type: number): boolean {
  return type !== TYPE_SOA && type !== TYPE_DS;
}
