import { join } from 'node:path';
import { type Complaints, shown } from './complaints.ts';
import type { Surroundings } from './flags.ts';
import { Refusal } from './refusal.ts';
import type { Said, ZoneSettings } from './settings.ts';
import type { SettingsReader } from './settings-reader.ts';

/** As kube-dns has it: it followed the C library's limit for resolv.conf. */
const MAX_NAMESERVERS = 3;

const STUB_DOMAINS_EXPECTED = 'expected a JSON object such as {"corp.example": ["10.1.2.3", "10.1.2.4:5353"]}';
const NAMESERVERS_EXPECTED = `expected a JSON array of at most ${MAX_NAMESERVERS} addresses, such as ["9.9.9.9"]`;

/**
 * The ConfigMap `kube-dns` as NodeLocal DNSCache mounts it: a folder with a file for each key. `stubDomains` gives zones their own upstreams,
 * `upstreamNameservers` those of all else. The ConfigMap and its keys are optional, so a file that is not there says nothing; other keys
 * (`federations`) are not read, as NodeLocal DNSCache does not.
 */
export function kubeDnsReader(folder: string): SettingsReader {
  return (surroundings, complaints) => {
    const reader = new KubeDnsFolder(folder, surroundings, complaints);
    const zones = reader.zones();
    const upstreams = reader.upstreams();
    return { ...(zones && { zones }), ...(upstreams && { upstreams }) };
  };
}

class KubeDnsFolder {
  readonly #folder: string;
  readonly #surroundings: Surroundings;
  readonly #complaints: Complaints;

  constructor(folder: string, surroundings: Surroundings, complaints: Complaints) {
    this.#folder = folder;
    this.#surroundings = surroundings;
    this.#complaints = complaints;
  }

  zones(): ZoneSettings[] | undefined {
    return this.#read('stubDomains', STUB_DOMAINS_EXPECTED, (value, place) => {
      if (!isObject(value)) throw new Refusal(`it is ${kindOf(value)}; ${STUB_DOMAINS_EXPECTED}`);
      return Object.entries(value).map(([zone, list]) => {
        const name = `stubDomains.${JSON.stringify(zone)}`;
        if (zone === '.' || zone === '') {
          throw new Refusal(
            `${JSON.stringify(zone)} is no stub domain; expected a domain name, or upstreamNameservers`,
          );
        }
        const texts = textsIn(list);
        if (texts === undefined || texts.length === 0) {
          throw new Refusal(
            `${JSON.stringify(zone)} has ${kindOf(list)}; expected an array of addresses, such as ["10.1.2.3"]`,
          );
        }
        return {
          zone: { text: zone, origin: { name, place } },
          upstreams: texts.map((text) => said(text, name, place)),
        };
      });
    });
  }

  /** Undefined where there are none: then the next source counts. */
  upstreams(): Said[] | undefined {
    return this.#read('upstreamNameservers', NAMESERVERS_EXPECTED, (value, place) => {
      const texts = textsIn(value);
      if (texts === undefined) throw new Refusal(`it is ${kindOf(value)}; ${NAMESERVERS_EXPECTED}`);
      if (texts.length > MAX_NAMESERVERS) throw new Refusal(`it has ${texts.length}; ${NAMESERVERS_EXPECTED}`);
      return texts.length === 0 ? undefined : texts.map((text) => said(text, 'upstreamNameservers', place));
    });
  }

  #read<T>(key: string, expected: string, take: (value: unknown, place: string) => T): T | undefined {
    const place = join(this.#folder, key);
    return this.#complaints.read('ERR_KUBE_DNS', `read ${shown(place)}`, '--kube-dns-config', () => {
      const text = this.#textOf(place);
      return text === undefined ? undefined : take(parseJson(text, expected), place);
    });
  }

  #textOf(path: string): string | undefined {
    try {
      const text = this.#surroundings.readFile(path);
      return text.trim() === '' ? undefined : text;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      throw new Refusal(`${message}; expected a readable file, or none`);
    }
  }
}

function said(text: string, name: string, place: string): Said {
  return { text, origin: { name, place } };
}

function parseJson(text: string, expected: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The message has the line, or the text around the place.
    throw new Refusal(`${(error as Error).message}; ${expected}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textsIn(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return undefined;
  return value;
}

/** A value for a message: itself where it is short. */
function kindOf(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
