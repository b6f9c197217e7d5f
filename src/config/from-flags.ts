import { Complaints } from './complaints.ts';
import type { Config } from './config.ts';
import { effectiveConfig } from './effective-config.ts';
import { flagSettings } from './flag-settings.ts';
import type { Flags, Surroundings } from './flags.ts';
import type { SettingsReader } from './settings-reader.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** What was passed over, for the log: nothing that stops the agent. */
  readonly notes: readonly string[];
}

/**
 * Flags and files as one frozen configuration: a flag beats what the `readers` read, an earlier reader a later one. Throws `ConfigErrors` with all that
 * is wrong.
 */
export function configFromFlags(
  flags: Flags,
  surroundings: Surroundings,
  readers: readonly SettingsReader[] = [],
): LoadedConfig {
  const complaints = new Complaints();
  const files = readers.map((read) => read(surroundings, complaints));
  // Of a file that is not read whole nobody can tell what it does not say.
  const isWhole = !complaints.hasAny;
  const layers = [flagSettings(flags, complaints), ...files];
  const notes = layers.flatMap((layer) => layer.notes ?? []);
  const config = effectiveConfig({ layers, isWhole, surroundings, complaints, notes });
  complaints.throwIfAny();
  return { config: freeze(config), notes };
}

/** All of it, and all in it. */
export function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(Object.freeze(value)).forEach(freeze);
  }
  return value;
}
