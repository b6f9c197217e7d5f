import { CLASS_IN, FLAG_RD, HEADER_LENGTH, TYPE_NS } from '../wire/constants.ts';
import { Exchange } from './exchange.ts';

/** `. IN NS`: what CoreDNS probes with too, and every server has an answer to it. */
export const ROOT_QUESTION = probeQuestion(new Uint8Array(1), TYPE_NS);

/** A small question of our own. What is said to it does not matter: `onEnd` is called once and tells whether anything came before its time was over. */
export class Probe extends Exchange {
  readonly #onEnd: (isAnswered: boolean) => void;

  /** `message`: a whole query, header and question. */
  constructor(message: Uint8Array, onEnd: (isAnswered: boolean) => void) {
    super(message, message.length, message.length);
    this.#onEnd = onEnd;
  }

  override onReply(): void {
    this.#end(true);
  }

  override onUnreachable(): void {
    this.#end(false);
  }

  override onTimeout(): void {
    this.#end(false);
  }

  #end(isAnswered: boolean): void {
    if (this.isDone) return;
    this.isDone = true;
    this.#onEnd(isAnswered);
  }
}

/** A query for `name`, in wire form; recursion desired. */
export function probeQuestion(name: Uint8Array, type: number): Uint8Array {
  const message = new Uint8Array(HEADER_LENGTH + name.length + 4);
  message[2] = FLAG_RD >> 8;
  message[5] = 1;
  message.set(name, HEADER_LENGTH);
  message[message.length - 3] = type;
  message[message.length - 1] = CLASS_IN;
  return message;
}
