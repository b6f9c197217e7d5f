import { type Complaints, shown } from '../complaints.ts';
import { DEFAULTS, type Flags, type Surroundings } from '../flags.ts';
import { Refusal } from '../refusal.ts';
import type { Settings } from '../settings.ts';
import type { SettingsReader } from '../settings-reader.ts';
import { parseSocketAddress } from '../socket-address.ts';
import { parseZoneName } from '../zone-name.ts';
import { corefileSettings } from './corefile-settings.ts';
import { type Note, noteAt } from './note.ts';
import { withPlaceholders } from './placeholders.ts';
import { attempt, readServer } from './server.ts';
import { parseServerBlocks } from './server-blocks.ts';

export interface ImportedCorefile {
  readonly settings: Settings;
  readonly notes: readonly Note[];
}

/** Flags that a Corefile's placeholders stand for. */
export type CorefileFlags = Pick<Flags, 'listen' | 'clusterDns' | 'clusterDomain' | 'resolvConf'>;

/** Reads the Corefile at `path` as a layer; what has no equal and matters becomes a note of the layer. */
export function corefileReader(path: string, flags: CorefileFlags): SettingsReader {
  return (surroundings, complaints) => {
    const text = complaints.read('ERR_COREFILE', `read ${shown(path)}`, '--corefile', () =>
      readCorefile(path, surroundings),
    );
    if (text === undefined) return {};
    const { settings, notes } = importCorefile(text, path, flags, surroundings, complaints);
    const said = notes.filter(({ matters }) => matters).map((note) => noteText(note));
    return { ...settings, notes: said };
  };
}

/** The text of the file at `path`. Throws `Refusal`. */
export function readCorefile(path: string, surroundings: Pick<Surroundings, 'readFile'>): string {
  try {
    return surroundings.readFile(path);
  } catch (error) {
    throw new Refusal(`${(error as Error).message}; expected a readable Corefile`);
  }
}

/** What a Corefile comes to, and what in it has no equal. What is wrong in it goes to `complaints`. */
export function importCorefile(
  text: string,
  file: string,
  flags: CorefileFlags,
  surroundings: Surroundings,
  complaints: Complaints,
): ImportedCorefile {
  const notes: Note[] = [];
  const clusterDomain = flags.clusterDomain ?? DEFAULTS.clusterDomain;
  const listenHosts = (flags.listen ?? [DEFAULTS.listen]).map(hostOf);
  const blocks = attempt(complaints, file, () =>
    parseServerBlocks(withPlaceholders(text, { listenHosts, clusterDomain }), file, {
      env: surroundings.env,
      readFile: (path) => surroundings.readFile(path),
      listFolder: (path) => surroundings.listFolder?.(path) ?? [],
      onEmptyImport: (at, pattern) => void notes.push(noteAt(at, 'import', `${pattern} finds no file`, false)),
    }),
  );
  if (blocks === undefined) return { settings: {}, notes };
  const servers = blocks.map((block) => readServer(block, notes, complaints)).filter(({ zones }) => zones.length > 0);
  const begin = { file, line: 1, text: '' };
  if (servers.length === 0) {
    complaints.add(
      'ERR_COREFILE',
      `${file}: Cannot find a server block: expected such as .:53 { forward . /etc/resolv.conf }`,
    );
    return { settings: {}, notes };
  }
  const settings = corefileSettings(servers, {
    begin,
    surroundings,
    clusterDns: flags.clusterDns,
    resolvConf: flags.resolvConf ?? DEFAULTS.resolvConf,
    clusterZone: zoneOr(clusterDomain, DEFAULTS.clusterDomain),
    listenHosts,
    notes,
    complaints,
  });
  return { settings, notes: sorted(notes) };
}

/** A note as one line: `Corefile:12: forward max_fails is left out: …` */
export function noteText({ place, name, text }: Note): string {
  return `${place}: ${name} ${text}`;
}

/** Those of a snippet once, in the order of their lines. */
function sorted(notes: readonly Note[]): Note[] {
  const lineOf = ({ place }: Note): number => Number(place.slice(place.lastIndexOf(':') + 1));
  const fileOf = ({ place }: Note): string => place.slice(0, place.lastIndexOf(':'));
  const distinct = new Map(notes.map((note) => [noteText(note), note]));
  return [...distinct.values()].sort((a, b) => fileOf(a).localeCompare(fileOf(b)) || lineOf(a) - lineOf(b));
}

/** The host of a `--listen`; what is wrong with it is said where flags are read. */
function hostOf(listen: string): string {
  try {
    return parseSocketAddress(listen, 53).host;
  } catch {
    return listen;
  }
}

function zoneOr(domain: string, otherwise: string): string {
  try {
    return parseZoneName(domain);
  } catch {
    return `${otherwise}.`;
  }
}
