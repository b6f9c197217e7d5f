import { BLOCK_BYTES } from './image-format.ts';

/** Memory for one block, seen as octets and as numbers: records begin at multiples of 8. */
export class ImageBlock {
  readonly bytes: Buffer;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;

  constructor() {
    const buffer = new ArrayBuffer(BLOCK_BYTES);
    this.bytes = Buffer.from(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }
}
