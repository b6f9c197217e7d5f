import type { Complaints } from './complaints.ts';
import type { Surroundings } from './flags.ts';
import type { Settings } from './settings.ts';

/**
 * Reads one file, or one folder of files, into a layer, at start and at every reload. What it cannot read goes to `complaints`, and it returns what
 * it could. It reads through `surroundings.readFile` alone, so that the files are watched.
 */
export type SettingsReader = (surroundings: Surroundings, complaints: Complaints) => Settings;
