import { ConfigError } from '../core/errors.ts';
import type { Flags } from './flags.ts';
import type { SettingsReader } from './settings-reader.ts';

const BOTH =
  'Cannot use --config and --corefile together: expected one of them; signpost import FILE turns a Corefile into a file for --config';

/**
 * Loads what reads the files that `flags` name, in the order of their layers. Parsers are large and an agent without a file needs none, so
 * they are loaded only where a flag asks for one.
 */
export async function loadSettingsReaders(flags: Flags): Promise<SettingsReader[]> {
  if (flags.config !== undefined && flags.corefile !== undefined) {
    throw new ConfigError('ERR_CONFIG_FILE', BOTH);
  }
  const readers: SettingsReader[] = [];
  if (flags.config !== undefined) {
    const { yamlReader } = await import('./yaml-settings.ts');
    readers.push(yamlReader(flags.config));
  }
  if (flags.corefile !== undefined) {
    const { corefileReader } = await import('./corefile/corefile-reader.ts');
    readers.push(corefileReader(flags.corefile, flags));
  }
  if (flags.kubeDnsConfig !== undefined) {
    const { kubeDnsReader } = await import('./kube-dns-reader.ts');
    readers.push(kubeDnsReader(flags.kubeDnsConfig));
  }
  return readers;
}
