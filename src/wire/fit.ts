import { skipName } from './name.ts';

/**
 * How much of a message's records goes into a datagram: whole records only. Where answer or authority had to be cut, TC is due and nothing
 * comes after the cut. The additional section goes whole or not at all: leaving it out needs no TC, and a part of an RRset would have to
 * be marked (RFC 2181, section 9). One instance is used again for every message.
 */
export class RecordFit {
  /** Absolute, after the last record that goes out. */
  end = 0;
  answers = 0;
  authorities = 0;
  additionals = 0;
  /** TC is due. */
  truncated = false;

  /** The records (without OPT) lie in [start, end), with as many in each section as given; `room` is in octets. */
  fit(
    bytes: Uint8Array,
    start: number,
    end: number,
    answers: number,
    authorities: number,
    additionals: number,
    room: number,
  ): void {
    this.end = end;
    this.answers = answers;
    this.authorities = authorities;
    this.additionals = additionals;
    this.truncated = false;
    if (end - start <= room) return;

    const limit = start + room;
    const needed = answers + authorities;
    let offset = start;
    let count = 0;
    for (; count < needed; count++) {
      const next = skipRecord(bytes, offset, end);
      if (next < 0 || next > limit) break;
      offset = next;
    }
    this.end = offset;
    this.truncated = count < needed;
    this.answers = count < answers ? count : answers;
    this.authorities = count < answers ? 0 : count - answers;
    this.additionals = 0;
  }
}

function skipRecord(bytes: Uint8Array, offset: number, end: number): number {
  const typeAt = skipName(bytes, offset, end);
  if (typeAt < 0 || typeAt + 10 > end) return -1;
  const next = typeAt + 10 + ((bytes[typeAt + 8]! << 8) | bytes[typeAt + 9]!);
  return next <= end ? next : -1;
}
