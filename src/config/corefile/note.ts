import { placeOf, type Token } from './token.ts';

/** Something in a Corefile that has no equal here. */
export interface Note {
  /** `Corefile:12` */
  readonly place: string;
  /** What stands there: `forward max_concurrent`. */
  readonly name: string;
  /** What becomes of it, and why. */
  readonly text: string;
  /** False: clients notice nothing, or only good. */
  readonly matters: boolean;
}

export function noteAt(at: Token, name: string, text: string, matters: boolean): Note {
  return { place: placeOf(at), name, text, matters };
}
