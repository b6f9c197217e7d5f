import { Complaints } from '../../../src/config/complaints.ts';
import type { Config } from '../../../src/config/config.ts';
import { ConfigErrors } from '../../../src/config/config-errors.ts';
import type { Flags } from '../../../src/config/flags.ts';
import { configFromFlags, type LoadedConfig } from '../../../src/config/from-flags.ts';
import { yamlReader, yamlSettings } from '../../../src/config/yaml-settings.ts';

/** Files by their path; a cluster DNS in the environment, so that no file needs to say one. */
export function loadYaml(text: string, flags: Flags = {}, files: Readonly<Record<string, string>> = {}): LoadedConfig {
  const all: Readonly<Record<string, string>> = {
    '/etc/resolv.conf': 'nameserver 192.0.2.1\n',
    'signpost.yaml': text,
    ...files,
  };
  const readFile = (path: string): string => {
    const content = all[path];
    if (content === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return content;
  };
  const env = { KUBE_DNS_SERVICE_HOST: '10.96.0.10', COREDNS_SERVICE_HOST: '10.96.0.11' };
  return configFromFlags(flags, { env, isTerminal: false, readFile }, [yamlReader('signpost.yaml')]);
}

export function configFromYaml(text: string, flags?: Flags, files?: Readonly<Record<string, string>>): Config {
  return loadYaml(text, flags, files).config;
}

/** What is said to be wrong, a line each. */
export function complaintsAbout(text: string, flags?: Flags, files?: Readonly<Record<string, string>>): string[] {
  try {
    loadYaml(text, flags, files);
  } catch (error) {
    if (error instanceof ConfigErrors) return error.errors.map(({ message }) => message);
    throw error;
  }
  return [];
}

/** The reader alone: what it complains of, whatever the values are. */
export function readerComplaints(text: string): string[] {
  const complaints = new Complaints();
  yamlSettings(text, 'signpost.yaml', complaints);
  try {
    complaints.throwIfAny();
  } catch (error) {
    if (error instanceof ConfigErrors) return error.errors.map(({ message }) => message);
    throw error;
  }
  return [];
}
