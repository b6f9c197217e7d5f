import { randomBytes } from 'node:crypto';
import { MAX_NAME_LENGTH, TYPE_HINFO } from '../wire/constants.ts';
import { nameFromText } from '../wire/name.ts';
import { Probe, probeQuestion } from './probe.ts';
import type { Upstream } from './upstream.ts';

const PREFIX = 'signpost-loop-';
const SECRET_BYTES = 8;
const NUMBER_DIGITS = 8;

/**
 * The names of this process's own probes: `signpost-loop-<secret>-<number>.<zone>`. Nobody outside knows the secret, so whoever asks us such a name
 * got it from us. Each probe has a number of its own: no cache on the way knows it.
 */
export class LoopNames {
  readonly #head = `${PREFIX}${randomBytes(SECRET_BYTES).toString('hex')}-`;
  readonly #label: Uint8Array;
  #last = 0;

  constructor() {
    const length = this.#head.length + NUMBER_DIGITS;
    this.#label = Uint8Array.from([length, ...new TextEncoder().encode(this.#head)]);
  }

  /** The next number, from 1. */
  next(): number {
    this.#last = (this.#last + 1) >>> 0;
    return this.#last;
  }

  /** In wire form; undefined where the zone's own name leaves no room for it. */
  name(number: number, zone: string): Uint8Array | undefined {
    const text = `${this.#head}${number.toString(16).padStart(NUMBER_DIGITS, '0')}`;
    const name = nameFromText(zone === '.' ? text : `${text}.${zone}`);
    return name !== undefined && name.length <= MAX_NAME_LENGTH ? name : undefined;
  }

  /** The number of the probe whose name begins at `at`, in any case; 0 where it is none of ours. Asked for every miss: the first octet tells. */
  numberOf(bytes: Uint8Array, at: number): number {
    const label = this.#label;
    if (bytes[at] !== label[0]) return 0;
    // All octets of ours are lower-case letters, digits and hyphens, which have this bit.
    for (let i = 1; i < label.length; i++) if ((bytes[at + i]! | 0x20) !== label[i]) return 0;
    const digits = Buffer.from(bytes.subarray(at + label.length, at + label.length + NUMBER_DIGITS)).toString('latin1');
    return /^[\da-f]+$/i.test(digits) ? Number.parseInt(digits, 16) : 0;
  }
}

/** One question whether an upstream leads back to us for a zone. HINFO, as CoreDNS asks too: every server passes it on, and nobody has an answer to it. */
export class LoopProbe extends Probe {
  readonly zone: string;
  readonly upstream: Upstream;
  readonly number: number;
  /** It came back to us. */
  hasReturned = false;

  constructor(
    parts: { zone: string; upstream: Upstream; number: number; name: Uint8Array },
    onEnd: (isAnswered: boolean) => void,
  ) {
    super(probeQuestion(parts.name, TYPE_HINFO), onEnd);
    this.zone = parts.zone;
    this.upstream = parts.upstream;
    this.number = parts.number;
  }
}
