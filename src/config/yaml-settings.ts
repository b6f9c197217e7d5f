import { type BaseIssue, safeParse } from 'valibot';
import { type Complaints, shown } from './complaints.ts';
import { nearestWord } from './nearest-word.ts';
import { Refusal } from './refusal.ts';
import type { Said, Settings, ZoneSettings } from './settings.ts';
import type { SettingsReader } from './settings-reader.ts';
import { CONFIG_FILE, keysAt } from './yaml-schema.ts';
import { YamlFile, YamlLeaf, type YamlTree } from './yaml-tree.ts';

/** Reads the file that `--config` names. */
export function yamlReader(path: string): SettingsReader {
  return ({ readFile }, complaints) => {
    const text = complaints.read('ERR_CONFIG_FILE', `read ${shown(path)}`, '--config', () => {
      try {
        return readFile(path);
      } catch (error) {
        throw new Refusal(`${(error as Error).message}; expected a readable YAML file`);
      }
    });
    return text === undefined ? {} : yamlSettings(text, path, complaints);
  };
}

/** The settings of a YAML file. What is wrong goes to `complaints`, and the rest is returned. Never throws. */
export function yamlSettings(text: string, path: string, complaints: Complaints): Settings {
  const file = new YamlFile(path, complaints);
  const tree = file.read(text);
  if (tree === undefined) return {};
  const { issues = [], output } = safeParse(CONFIG_FILE, tree);
  if (issues.length === 0) return settingsFrom(output as CheckedFile, tree as ZonesTree, file);
  for (const issue of issues) complain(issue, tree, file, complaints);
  if (issues.some(({ path: way }) => way === undefined)) return {};
  // From the end, so that the others stay where they were found.
  for (const issue of issues.toReversed()) remove(tree, wayOf(issue));
  return settingsFrom(safeParse(CONFIG_FILE, tree).output as CheckedFile, tree as ZonesTree, file);
}

type HostsSaid = readonly Said[] | Readonly<Record<string, readonly Said[]>>;

/** What the schema has found good. */
type CheckedFile = Omit<Settings, 'zones'> & {
  readonly zones?: Readonly<Record<string, Omit<ZoneSettings, 'zone' | 'hosts'> & { readonly hosts?: HostsSaid }>>;
};

type ZonesTree = { readonly zones?: Readonly<Record<string, YamlTree>> };

function settingsFrom(checked: CheckedFile, tree: ZonesTree, file: YamlFile): Settings {
  const { zones, ...settings } = checked;
  if (zones === undefined) return settings;
  const list = Object.entries(zones).map(([name, { hosts, ...rest }]): ZoneSettings => {
    const zone = { text: name, origin: file.originOf(tree.zones![name]!) };
    return { ...rest, zone, ...(hosts === undefined ? {} : { hosts: linesOf(hosts) }) };
  });
  return { ...settings, zones: list };
}

/** Lines of hosts(5), as which a map of names to addresses is read, too. */
function linesOf(hosts: HostsSaid): readonly Said[] {
  if (Array.isArray(hosts)) return hosts;
  return Object.entries(hosts as Readonly<Record<string, readonly Said[]>>).flatMap(([name, addresses]) =>
    addresses.map(({ text, origin }) => ({ text: `${text} ${name}`, origin })),
  );
}

function complain(issue: BaseIssue<unknown>, tree: YamlTree, file: YamlFile, complaints: Complaints): void {
  const way = wayOf(issue);
  const culprit = find(tree, way);
  const { name, place } = file.originOf(culprit);
  const what = way.length === 0 ? 'use this as a configuration' : `set ${name} to ${textOf(culprit)}`;
  const reason = issue.type === 'never' ? reasonAgainstKey(way) : issue.message;
  complaints.add('ERR_CONFIG_FILE', `${place}: Cannot ${what}: ${reason}`);
}

function reasonAgainstKey(way: readonly string[]): string {
  const keys = keysAt(way.slice(0, -1));
  const near = nearestWord(way.at(-1)!, keys);
  return near === undefined
    ? `there is no such key; expected one of ${keys.join(', ')}`
    : `there is no such key; did you mean ${near}?`;
}

function textOf(tree: YamlTree): string {
  if (Array.isArray(tree)) return 'a list';
  if (!(tree instanceof YamlLeaf)) return 'a map';
  return tree.isEmpty ? 'nothing' : shown(tree.text);
}

function wayOf({ path }: BaseIssue<unknown>): string[] {
  return (path ?? []).map(({ key }) => String(key));
}

/** What stands at the end of `way`, or the leaf at which it ends before: the schema takes a single value for a list of one. */
function find(tree: YamlTree, way: readonly string[]): YamlTree {
  let at = tree;
  for (const key of way) {
    if (at instanceof YamlLeaf) break;
    at = (at as Record<string, YamlTree>)[key]!;
  }
  return at;
}

/** Takes away what `find` finds. */
function remove(tree: YamlTree, way: readonly string[]): void {
  const length = way.findIndex((_, index) => find(tree, way.slice(0, index + 1)) instanceof YamlLeaf) + 1 || way.length;
  const parent = find(tree, way.slice(0, length - 1));
  const key = way[length - 1]!;
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete (parent as Record<string, YamlTree>)[key];
}
