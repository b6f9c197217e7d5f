import type { AnswerDraft } from '../../cache/answer-draft.ts';
import { type EntryMemory, KIND_NEGATIVE } from '../../cache/entry-memory.ts';
import { FLAG_AA, RCODE_NXDOMAIN } from '../../wire/constants.ts';
import { equalFolded, nameFromText } from '../../wire/name.ts';
import type { Zone } from '../zone.ts';
import { SoaRecord } from './soa-record.ts';

const NO_NAME = new Uint8Array(0);

/** How a zone's servers say "no": learnt from what they said of one name, said of another. */
export class ZoneDenial {
  readonly #soa = new SoaRecord();
  #flags = 0;
  /** Whose SOA record it is that was taken last; empty: of no zone that we know. */
  #ofZone = '';
  #zone = '';
  #zoneWire: Uint8Array = NO_NAME;

  /** Takes the SOA record of a cached negative answer to a name of `zone`; false where it has none. */
  learn(memory: EntryMemory, at: number, zone: Zone): boolean {
    if (memory.kind(at) !== KIND_NEGATIVE || memory.answers(at) !== 0) return false;
    const isTaken = this.#soa.take(memory, at);
    // A server that passes on what it does not know says "no" in another zone's name: it is not for us to say.
    this.#ofZone = this.#isOwner(zone) ? zone.name : '';
    this.#flags = memory.flags(at) & FLAG_AA;
    return isTaken;
  }

  /** Whether we know how the zone itself says "no", so that we can in its name. */
  knows(zone: Zone): boolean {
    return this.#ofZone === zone.name;
  }

  /** Seconds for which the zone's "no" may be kept, as far as its policy lets it. */
  secondsOf({ cache: { negativeMaxSeconds, negativeMinSeconds } }: Zone): number {
    return Math.max(negativeMinSeconds, Math.min(this.#soa.minimumSeconds, negativeMaxSeconds));
  }

  /** NXDOMAIN with the record that was taken last, for so many seconds. */
  fill(draft: AnswerDraft, zone: Zone, seconds: number): void {
    const soa = this.#soa;
    draft.takeRcode(RCODE_NXDOMAIN);
    draft.kind = KIND_NEGATIVE;
    draft.flags = this.#flags;
    draft.zone = zone.id;
    draft.seconds = seconds;
    draft.capSeconds = seconds;
    draft.message = soa.bytes;
    draft.bodyEnd = soa.length;
    draft.authorities = 1;
    draft.ttlOffsets = soa.ttlOffsets;
    draft.ttlCount = 1;
  }

  #isOwner(zone: Zone): boolean {
    if (this.#zone !== zone.name) {
      this.#zone = zone.name;
      this.#zoneWire = nameFromText(zone.name) ?? NO_NAME;
    }
    const name = this.#zoneWire;
    return this.#soa.length > name.length && equalFolded(this.#soa.bytes, 0, name, 0, name.length);
  }
}
