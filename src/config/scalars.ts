import type { Complaints } from './complaints.ts';
import type { Said, Settings } from './settings.ts';
import type { ValueKind } from './value-kinds.ts';

/** How a setting is read, and what messages call it where it is not a key of a file. */
export interface Setting<T> {
  readonly kind: Pick<ValueKind<T>, 'read'>;
  readonly code: string;
  /** `log at debug` */
  action(value: string): string;
}

/** The key of a setting that is one value. */
export type OneSaid = { [K in keyof Settings]-?: Settings[K] extends Said | undefined ? K : never }[keyof Settings];

/** Settings that are one value, of all layers: the first that says it decides, and the others must make sense all the same. */
export class Scalars {
  readonly #layers: readonly Settings[];
  readonly #complaints: Complaints;

  constructor(layers: readonly Settings[], complaints: Complaints) {
    this.#layers = layers;
    this.#complaints = complaints;
  }

  /** Undefined where the value that decides cannot be read. */
  read<T>(key: OneSaid, fallback: string | undefined, { kind, code, action }: Setting<T>): T | undefined {
    const said = saidIn(this.#layers, key);
    const values = said.map((value) => this.#complaints.readSaid(code, action, value, kind.read));
    if (said.length > 0) return values[0];
    return fallback === undefined ? undefined : kind.read(fallback);
  }
}

/** All that is said of it, the strongest first. */
export function saidIn(layers: readonly Settings[], key: OneSaid): Said[] {
  return layers.flatMap((layer) => layer[key] ?? []);
}
