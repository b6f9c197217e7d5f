import { hashAt, serviceLabels } from './service-labels.ts';

/** 4,096 x 8 B = 32 KiB. Services that share a place are thought to change together, which costs a question more. */
const SLOTS = 4096;

/** When something last changed of each Service: noted with one write, read with one look, and nothing to clean up. */
export class ServiceEvents {
  readonly #lastMs = new Float64Array(SLOTS).fill(Number.NEGATIVE_INFINITY);

  note(namespace: string, service: string, nowMs: number): void {
    const labels = serviceLabels(namespace, service);
    if (labels !== undefined) this.#lastMs[this.slotOf(labels, 0)] = nowMs;
  }

  /** The place of the Service whose label is at `serviceAt`, which that of its namespace follows. */
  slotOf(bytes: Uint8Array, serviceAt: number): number {
    return hashAt(bytes, serviceAt) & (SLOTS - 1);
  }

  lastMs(slot: number): number {
    return this.#lastMs[slot]!;
  }
}
