/** What one path of the admin server answers. */
export interface Page {
  readonly path: string;
  /** GET includes HEAD. */
  readonly method: 'GET' | 'POST';
  /** What it throws becomes a 500 with its code. */
  answer(query: URLSearchParams): Answer | Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function jsonAnswer(status: number, value: object): Answer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

/** The shape of every error: a code for scripts, a message for people. */
export function errorAnswer(
  status: number,
  code: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): Answer {
  const answer = jsonAnswer(status, { code, message });
  return headers === undefined ? answer : { ...answer, headers };
}
