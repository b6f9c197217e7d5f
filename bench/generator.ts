import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Load {
  readonly program: string;
  readonly core: number;
  readonly port: number;
  readonly queryFile: string;
  /** The longest it may take. */
  readonly seconds: number;
  readonly sockets: number;
  /** Queries in flight on each socket. */
  readonly window: number;
  /** End after so many; 0: only after `seconds`. */
  readonly queries: number;
}

export interface LoadResult {
  readonly answersPerSecond: number;
  readonly answered: number;
  readonly lost: number;
  readonly bad: number;
  readonly noError: number;
  /** How often the end of the query file was reached. */
  readonly wrapped: number;
}

/** Runs dnsblast against a server on loopback. Rejects where it fails. */
export async function blast(load: Load): Promise<LoadResult> {
  const { program, core, port, queryFile, seconds, sockets, window, queries } = load;
  const args = ['-c', core, program, '127.0.0.1', port, queryFile, seconds, sockets, window, queries].map(String);
  const { stdout } = await run('taskset', args);
  return parseBlast(stdout);
}

/** Reads the line that dnsblast prints. Throws where a field is missing. */
export function parseBlast(text: string): LoadResult {
  const field = (name: string) => {
    const match = new RegExp(`\\b${name} (\\d+)`).exec(text);
    if (match === null) throw new Error(`Cannot read dnsblast's result: no ${name} in ${JSON.stringify(text)}`);
    return Number(match[1]);
  };
  return {
    answersPerSecond: field('qps'),
    answered: field('answered'),
    lost: field('lost'),
    bad: field('bad'),
    noError: field('noerror'),
    wrapped: field('wrapped'),
  };
}

/**
 * A server that sheds load with quick errors must not look fast: fewer than 99.9% good answers make no figure, nor do fewer than the
 * `queries` that were to be asked. Throws then.
 */
export function requireGoodAnswers(result: LoadResult, queries = 0): void {
  const { answered, noError, lost, bad } = result;
  if (answered + lost < queries)
    throw new Error(`Cannot use this run: ${answered} of ${queries} queries before its time was over`);
  if (answered > 0 && noError >= 0.999 * (answered + lost)) return;
  throw new Error(`Cannot use this run: ${noError} NOERROR of ${answered} answers, ${lost} lost, ${bad} bad`);
}
