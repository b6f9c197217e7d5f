import type { Logger } from '../core/logger.ts';
import { nameToText } from '../wire/name.ts';
import type { QueryView } from '../wire/query.ts';
import { typeToText } from '../wire/type-names.ts';
import type { Client } from './client.ts';

export interface QueryLogOptions {
  /** One query in so many is logged; 0: none. */
  every: number;
  log: Logger;
}

/** A sample of the queries, for a person who asked for it. The line is made in a later turn of the loop. */
export class QueryLog {
  readonly #every: number;
  readonly #log: Logger;
  #sinceLast = 0;

  constructor({ every, log }: QueryLogOptions) {
    this.#every = every;
    this.#log = log;
  }

  /** Called once for every query, before it is answered. */
  note(query: QueryView, client: Client): void {
    if (this.#every === 0) return;
    this.#sinceLast++;
    if (this.#sinceLast < this.#every) return;
    this.#sinceLast = 0;
    const fields = {
      client: client.peer,
      proto: client.isStream ? 'tcp' : 'udp',
      name: nameToText(query.bytes, query.start + 12),
      type: typeToText(query.type),
      oneIn: this.#every,
    };
    setImmediate(() => this.#log.info(fields, 'query'));
  }
}
