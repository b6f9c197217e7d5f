import { skipName } from './name.ts';

/** Goes through the records of a message that `MessageScan` has found sound, one after the other. One instance is used again for every message. */
export class RecordWalk {
  /** Of the record that was read last, absolute, as all offsets. */
  ownerAt = 0;
  typeAt = 0;
  rdataAt = 0;
  end = 0;
  type = 0;
  class = 0;

  /** The next record read begins at `offset`. */
  begin(offset: number): void {
    this.end = offset;
  }

  read(message: Uint8Array, messageEnd: number): void {
    const ownerAt = this.end;
    const typeAt = message[ownerAt]! >= 0xc0 ? ownerAt + 2 : skipName(message, ownerAt, messageEnd);
    this.ownerAt = ownerAt;
    this.typeAt = typeAt;
    this.rdataAt = typeAt + 10;
    this.end = typeAt + 10 + ((message[typeAt + 8]! << 8) | message[typeAt + 9]!);
    this.type = (message[typeAt]! << 8) | message[typeAt + 1]!;
    this.class = (message[typeAt + 2]! << 8) | message[typeAt + 3]!;
  }
}
