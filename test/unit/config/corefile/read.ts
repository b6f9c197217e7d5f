import { Complaints } from '../../../../src/config/complaints.ts';
import { ConfigErrors } from '../../../../src/config/config-errors.ts';
import { importCorefile, noteText } from '../../../../src/config/corefile/corefile-reader.ts';
import type { Note } from '../../../../src/config/corefile/note.ts';
import { type PlainSettings, plainSettings } from '../../../../src/config/settings-yaml.ts';

export interface Told {
  readonly settings: PlainSettings;
  readonly notes: readonly Note[];
  /** Lines about what is wrong. */
  readonly errors: readonly string[];
}

export interface ReadOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** What a Corefile comes to, and all that is said of it. */
export function read(corefile: string, { env = {}, files = {} }: ReadOptions = {}): Told {
  const complaints = new Complaints();
  const surroundings = {
    env,
    isTerminal: false,
    readFile: (path: string): string => {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
      return text;
    },
    listFolder: (path: string): string[] => {
      const names = Object.keys(files).filter((name) => path === '.' || name.startsWith(`${path}/`));
      return names.map((name) => (path === '.' ? name : name.slice(path.length + 1)));
    },
  };
  const { settings, notes } = importCorefile(corefile, 'Corefile', {}, surroundings, complaints);
  return { settings: plainSettings(settings), notes, errors: errorsOf(complaints) };
}

/** The settings of one zone of a Corefile that is good. */
export function zoneOf(corefile: string, zone: string, options?: ReadOptions): PlainSettings {
  const { settings, errors } = read(corefile, options);
  if (errors.length > 0) throw new Error(errors.join('\n'));
  const zones = settings['zones'] as Readonly<Record<string, PlainSettings>>;
  const found = zones[zone];
  if (found === undefined) throw new Error(`no zone ${zone} in ${JSON.stringify(zones)}`);
  return found;
}

/** Notes as `signpost import` says them; with `!` in front where they matter. */
export function noteLines({ notes }: Told): string[] {
  return notes.map((note) => `${note.matters ? '! ' : ''}${noteText(note)}`);
}

function errorsOf(complaints: Complaints): string[] {
  try {
    complaints.throwIfAny();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    return error.errors.map(({ message }) => message);
  }
}
