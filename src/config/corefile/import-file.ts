import { isMap, isScalar, LineCounter, type Pair, parseAllDocuments, type YAMLMap } from 'yaml';
import type { Complaints } from '../complaints.ts';
import { effectiveConfig } from '../effective-config.ts';
import type { Surroundings } from '../flags.ts';
import { kubeDnsReader } from '../kube-dns-reader.ts';
import type { Settings, ZoneSettings } from '../settings.ts';
import { type CorefileFlags, type ImportedCorefile, importCorefile } from './corefile-reader.ts';
import type { Note } from './note.ts';

/** Keys of a ConfigMap that hold a Corefile, or server blocks of one. */
const COREFILE_KEY = /^Corefile$|\.server$/;
const KUBE_DNS_KEYS: readonly string[] = ['stubDomains', 'upstreamNameservers'];

/**
 * What a file comes to that is a Corefile, or a ConfigMap in YAML that holds one (the key `Corefile`), or the ConfigMap `kube-dns` (`stubDomains`,
 * `upstreamNameservers`). What is wrong in it goes to `complaints`.
 */
export function importText(
  text: string,
  file: string,
  flags: CorefileFlags,
  surroundings: Surroundings,
  complaints: Complaints,
): ImportedCorefile {
  const data = /^kind:/m.test(text) ? configMapData(text) : undefined;
  if (data === undefined) return importCorefile(text, file, flags, surroundings, complaints);
  const corefile = [...data].filter(([key]) => COREFILE_KEY.test(key));
  const kubeDns = [...data].filter(([key]) => KUBE_DNS_KEYS.includes(key));
  if (corefile.length + kubeDns.length === 0) {
    const expected = `expected the key Corefile, or ${KUBE_DNS_KEYS.join(' and ')}`;
    complaints.add('ERR_COREFILE', `${file}: Cannot read this ConfigMap: ${expected}`);
    return { settings: {}, notes: [] };
  }
  const notes: Note[] = [];
  let settings: Settings = {};
  for (const [, { text: part, line }] of corefile) {
    // Empty lines in front, so that places are those of the file.
    const read = importCorefile('\n'.repeat(line) + part, file, flags, surroundings, complaints);
    settings = joined(settings, read.settings);
    notes.push(...read.notes);
  }
  const texts = new Map(kubeDns.map(([key, { text: part }]) => [`${file}/${key}`, part]));
  const readFile = (path: string): string => texts.get(path) ?? '';
  settings = joined(settings, kubeDnsReader(file)({ ...surroundings, readFile }, complaints));
  return { settings, notes };
}

/**
 * Reads all values as the agent would: what it would refuse goes to `complaints` now, with its place. What is in files that only the node has, and who
 * its cluster DNS is, cannot be known here.
 */
export function checkImported(settings: Settings, complaints: Complaints): void {
  const zones = settings.zones?.map(({ hostsFile: _hostsFile, tls: _tls, ...rest }) => rest);
  const surroundings: Surroundings = {
    env: { KUBE_DNS_SERVICE_HOST: '192.0.2.10' },
    isTerminal: false,
    readFile: () => 'nameserver 192.0.2.53\n',
  };
  effectiveConfig({
    layers: [{ ...settings, ...(zones && { zones }) }],
    isWhole: true,
    surroundings,
    complaints,
    notes: [],
  });
}

/** Both as one; where both say the same thing, the first. */
function joined(first: Settings, second: Settings): Settings {
  const zones = new Map<string, ZoneSettings>();
  for (const zone of [...(second.zones ?? []), ...(first.zones ?? [])]) {
    const name = zone.zone.text.toLowerCase().replace(/(?<=.)\.$/, '');
    zones.set(name, { ...zones.get(name), ...zone });
  }
  return { ...second, ...first, ...(zones.size > 0 && { zones: [...zones.values()] }) };
}

interface Entry {
  readonly text: string;
  /** How many lines of the file stand before its first. */
  readonly line: number;
}

/** The entries of all ConfigMaps in a YAML file; undefined where there is none. */
function configMapData(text: string): Map<string, Entry> | undefined {
  const lines = new LineCounter();
  const entries = new Map<string, Entry>();
  let isFound = false;
  for (const document of parseAllDocuments(text, { lineCounter: lines })) {
    if (!('contents' in document) || document.errors.length > 0 || !isMap(document.contents)) continue;
    for (const map of configMaps(document.contents)) {
      isFound = true;
      const data = map.get('data');
      for (const pair of isMap(data) ? data.items : []) addEntry(entries, pair, lines);
    }
  }
  return isFound ? entries : undefined;
}

/** A ConfigMap itself, or those of a List. */
function configMaps(map: YAMLMap): YAMLMap[] {
  if (map.get('kind') === 'ConfigMap') return [map];
  const items = map.get('items');
  const list = typeof items === 'object' && items !== null && 'items' in items ? (items.items as unknown[]) : [];
  return list.filter((item) => isMap(item)).filter((item) => item.get('kind') === 'ConfigMap');
}

function addEntry(entries: Map<string, Entry>, { key, value }: Pair, lines: LineCounter): void {
  if (!isScalar(key) || !isScalar(value) || typeof value.value !== 'string') return;
  const { line } = lines.linePos(value.range?.[0] ?? 0);
  const isBlock = value.type === 'BLOCK_LITERAL' || value.type === 'BLOCK_FOLDED';
  entries.set(String(key.value), { text: value.value, line: isBlock ? line : line - 1 });
}
