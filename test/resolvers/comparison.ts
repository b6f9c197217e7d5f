import { type Difference, differences, isOfTime } from './difference.ts';
import type { LookUp, Outcome } from './lookup.ts';
import { answeredLookUps, failingLookUps, someLookUps, tellingLookUps } from './names.ts';
import type { Pod } from './pod-network.ts';
import type { Resolver } from './resolvers.ts';
import { PLAIN } from './world.ts';

/** Look-ups, and how many seconds resolvers wait for each answer. */
interface List {
  readonly of: (run: string) => readonly LookUp[];
  readonly timeout: number;
  /** Servers fail at each. */
  readonly isFailing?: boolean;
}

/** Every answer comes, however busy the machine is. */
export const ANSWERED: List = { of: answeredLookUps, timeout: 15 };
/** Of those, one for each name. */
export const SOME: List = { of: someLookUps, timeout: 15 };
export const FAILING: List = { of: failingLookUps, timeout: 3, isFailing: true };
export const TELLING: List = { of: tellingLookUps, timeout: 15 };

/** A difference that may be one of time is looked for so many times more: on a machine that is busy, an answer that did not come says nothing. */
const MORE_TIMES = 2;

/** Compares what resolvers find in a pod through other servers with what they find by plain DNS, which is asked once. */
export class Comparison {
  readonly #resolvers: readonly Resolver[];
  readonly #pod: Pod;
  readonly #plain = new Map<string, Promise<readonly Outcome[]>>();

  constructor(resolvers: readonly Resolver[], pod: Pod) {
    this.#resolvers = resolvers;
    this.#pod = pod;
  }

  /** What comes out otherwise at `server`. All resolvers at once. */
  async differences(server: string, lists: readonly List[], times = MORE_TIMES): Promise<Difference[]> {
    const each = this.#resolvers.flatMap((resolver) =>
      lists.map((list) => this.#compare(resolver, server, list, times)),
    );
    return (await Promise.all(each)).flat();
  }

  async #compare(resolver: Resolver, server: string, list: List, times: number): Promise<Difference[]> {
    const { of, timeout } = list;
    const run = `${resolver.name}-${this.#pod.settings.address}`.replaceAll(/\W+/g, '-');
    const lookUps = of(run);
    const key = `${resolver.name} ${of.name}`;
    const plain = this.#plain.get(key) ?? this.#lookUp(resolver, PLAIN, lookUps, list);
    this.#plain.set(key, plain);
    const [asPlain, other] = await Promise.all([plain, this.#lookUp(resolver, server, lookUps, list)]);
    const first = differences(resolver, asPlain, other);
    return this.#confirm(resolver, server, first, { run, timeout, times });
  }

  /** One after the other, as a program does; those that each take all of their time, at once. */
  async #lookUp(
    resolver: Resolver,
    server: string,
    lookUps: readonly LookUp[],
    { timeout, isFailing = false }: List,
  ): Promise<readonly Outcome[]> {
    if (!(isFailing && resolver.asksOn)) return this.#pod.lookUp(resolver, server, lookUps, timeout);
    const each = lookUps.map((one) => this.#pod.lookUp(resolver, server, [one], timeout));
    return (await Promise.all(each)).flat();
  }

  /** Leaves out what comes out the same when it is asked again: names of the run's own are new ones then, too. */
  async #confirm(
    resolver: Resolver,
    server: string,
    found: readonly Difference[],
    { run, timeout, times }: { run: string; timeout: number; times: number },
  ): Promise<Difference[]> {
    const doubtful = found.filter(isOfTime);
    const sure = found.filter((one) => !isOfTime(one));
    if (doubtful.length === 0 || times === 0) return [...found];
    const again = `${run}-again`;
    const lookUps = doubtful.map(({ plain: { kind, name } }) => ({ kind, name: name.replace(run, again) }));
    const [plain, other] = await Promise.all(
      [PLAIN, server].map((one) => this.#pod.lookUp(resolver, one, lookUps, timeout)),
    );
    const left = differences(resolver, plain!, other!);
    return [...sure, ...(await this.#confirm(resolver, server, left, { run: again, timeout, times: times - 1 }))];
  }
}
