import { type Answer, jsonAnswer, type Page } from './page.ts';

/** What is in force, as `/api/v1/config` shows it: nothing secret is in it. */
export interface ConfigReport {
  /** SHA-256 of the files that it was made from; null where there are none to read again. */
  readonly version: string | null;
  /** What is wrong with the files now, so that what was read before stays in force. */
  readonly error: string | null;
  /** Settings that the files have otherwise, and that take a restart. */
  readonly restartNeeded: readonly string[];
  readonly config: object;
}

/** `/api/v1/config` */
export class ConfigApi implements Page {
  readonly path = '/api/v1/config';
  readonly method = 'GET';
  readonly #report: () => ConfigReport;

  constructor(report: () => ConfigReport) {
    this.#report = report;
  }

  answer(): Answer {
    return jsonAnswer(200, this.#report());
  }
}
