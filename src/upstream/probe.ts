import { CLASS_IN, FLAG_RD, HEADER_LENGTH, TYPE_NS } from '../wire/constants.ts';
import { Exchange } from './exchange.ts';

/** `. IN NS`, recursion desired: what CoreDNS probes with too, and every server has an answer to it. */
const MESSAGE = new Uint8Array(HEADER_LENGTH + 5);
MESSAGE[2] = FLAG_RD >> 8;
MESSAGE[5] = 1;
MESSAGE[14] = TYPE_NS;
MESSAGE[16] = CLASS_IN;

/** A small question of our own. What it says does not matter: `onEnd` tells whether anything came, or, undefined, that its time was over. */
export class Probe extends Exchange {
  readonly #onEnd: (probe: Probe, isAnswered: boolean) => void;

  constructor(onEnd: (probe: Probe, isAnswered: boolean) => void) {
    super(MESSAGE, MESSAGE.length, MESSAGE.length);
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
    this.#onEnd(this, isAnswered);
  }
}
