import { mistakenIdentity, type ProbeIdentity, standbyAnswer } from './identity.ts';
import { type Answer, jsonAnswer, type Page } from './page.ts';

/** One of the things that must be so before pods' queries are sent here. */
export interface Reason {
  /** `listeners`, `answers`, `rules`, `lameduck` … */
  readonly name: string;
  readonly ok: boolean;
  /** Nothing that keeps queries away, but somebody should look at it. */
  readonly warning?: boolean;
  /** What is so, or what is missing, for a person. */
  readonly message: string;
}

export interface ReadyPageOptions extends ProbeIdentity {
  readonly reasons: () => readonly Reason[];
}

/** `/ready`: 200 when every reason holds, else 503; the reasons stand in the body of both. */
export class ReadyPage implements Page {
  readonly path = '/ready';
  readonly method = 'GET';
  readonly #options: ReadyPageOptions;

  constructor(options: ReadyPageOptions) {
    this.#options = options;
  }

  answer(query: URLSearchParams): Answer | Promise<Answer> {
    const standby = standbyAnswer(query, this.#options, (message) =>
      jsonAnswer(200, { ready: true, reasons: [{ name: 'identity', ok: true, message }] }),
    );
    if (standby !== undefined) return standby;
    const reasons = [...this.#options.reasons()];
    const mistake = mistakenIdentity(query, this.#options);
    if (mistake !== undefined) reasons.unshift({ name: 'identity', ok: false, message: mistake });
    const ready = reasons.every((reason) => reason.ok);
    return jsonAnswer(ready ? 200 : 503, { ready, reasons });
  }
}
