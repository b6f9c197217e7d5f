import type { Logger } from '../core/logger.ts';
import { nameToText } from '../wire/name.ts';
import type { QueryView } from '../wire/query.ts';
import { typeToText } from '../wire/type-names.ts';
import type { Client } from './client.ts';

/** A sample of the queries of each zone, for a person who asked for it. The line is made in a later turn of the loop. */
export class QueryLog {
  readonly #log: Logger;
  /** By zone id: one query in so many; 0: none. */
  #every: readonly number[] = [];
  #sinceLast = new Uint32Array(0);
  /** Whether any zone is logged. Looked at for every query, so that nobody pays who does not log. */
  isOn = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** One query in so many is logged, by zone id; 0 or nothing: none. */
  sample(every: readonly number[]): void {
    this.#every = every;
    this.#sinceLast = new Uint32Array(every.length);
    this.isOn = every.some((count) => count > 0);
  }

  /** Called once for every query where `isOn`, with the zone that it is counted under. */
  note(query: QueryView, zone: number, client: Client): void {
    const every = this.#every[zone] ?? 0;
    if (every === 0 || ++this.#sinceLast[zone]! < every) return;
    this.#sinceLast[zone] = 0;
    const fields = {
      client: client.peer,
      proto: client.isStream ? 'tcp' : 'udp',
      name: nameToText(query.bytes, query.start + 12),
      type: typeToText(query.type),
      oneIn: every,
    };
    setImmediate(() => this.#log.info(fields, 'query'));
  }
}
