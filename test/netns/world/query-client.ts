import { fileURLToPath } from 'node:url';
import { Child } from '../../servers/child.ts';
import type { Namespace } from '../namespace.ts';

const PROGRAM = fileURLToPath(new URL('query-lanes.ts', import.meta.url));

export interface Lane {
  readonly name: string;
  readonly host: string;
  readonly transport: 'udp' | 'tcp';
  readonly intervalMs: number;
}

export interface LaneReport {
  readonly name: string;
  readonly sent: number;
  readonly answered: number;
  /** Given up after 5 s of silence. */
  readonly unanswered: number;
  /** Told by the kernel that nobody is there: a look-up fails at once in place of waiting. */
  readonly refused: number;
  /** TCP connections that were open and broke. */
  readonly reset: number;
  /** What refusals said. */
  readonly errors: Readonly<Record<string, number>>;
  /** The longest time without an answer, and when it began, in milliseconds since 1970. */
  readonly gapMs: number;
  readonly gapFromMs: number;
}

/** Asks on, at a steady pace, from a namespace, and keeps account. */
export class QueryClient {
  readonly child: Child;
  readonly #lanes: readonly Lane[];

  static start(from: Namespace, lanes: readonly Lane[]): QueryClient {
    return new QueryClient(from, lanes);
  }

  private constructor(from: Namespace, lanes: readonly Lane[]) {
    this.#lanes = lanes;
    const [first, ...rest] = from.prefix;
    this.child = new Child(first!, [...rest, process.execPath, PROGRAM, JSON.stringify(lanes)]);
  }

  /** Who has answered last on each lane, as `version.bind` has it; '' before the first answer. */
  get answerers(): ReadonlyMap<string, string> {
    const latest = new Map(this.#lanes.map(({ name }) => [name, '']));
    for (const { lane, answerer } of this.#lines()) if (lane !== undefined) latest.set(lane, answerer!);
    return latest;
  }

  /** Everybody who has answered on any lane. */
  get everyAnswerer(): ReadonlySet<string> {
    return new Set(this.#lines().flatMap(({ answerer }) => answerer ?? []));
  }

  /** Resolves when all lanes have their answers of somebody whose name begins so: `signpost` or `cluster-dns`. */
  async untilAnsweredBy(answerer: string, limitMs?: number): Promise<void> {
    const isSo = (): boolean => [...this.answerers.values()].every((name) => name.startsWith(answerer));
    const complaint = `answered by ${answerer}`;
    await this.child.waitUntil(complaint, isSo, limitMs);
  }

  /** Ends it. What became of the queries, a lane each. */
  async stop(): Promise<readonly LaneReport[]> {
    await this.child.stop();
    const reports = this.#lines().find((line) => line.reports !== undefined)?.reports;
    if (reports === undefined) throw new Error(`The query client did not report:\n${this.child.output}`);
    return reports;
  }

  #lines(): { lane?: string; answerer?: string; reports?: readonly LaneReport[] }[] {
    return this.child.output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line));
  }
}

/** One lane for each address and transport. */
export function lanesTo(hosts: readonly string[], intervalMs = 25): Lane[] {
  return hosts.flatMap((host) =>
    (['udp', 'tcp'] as const).map((transport) => ({ name: `${host} ${transport}`, host, transport, intervalMs })),
  );
}
