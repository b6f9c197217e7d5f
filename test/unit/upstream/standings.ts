import { Owed } from '../../../src/upstream/owed.ts';
import type { Policy } from '../../../src/upstream/policy/policy.ts';
import { RoundTrips } from '../../../src/upstream/round-trips.ts';
import { Selection } from '../../../src/upstream/selection.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';
import { FakeClock } from '../../fake-clock.ts';

/** As much of an upstream as a choice looks at. */
export class Candidate {
  readonly roundTrips = new RoundTrips();
  readonly owed = new Owed();
  readonly health = { isDoubtful: false };
  readonly label: string;
  readonly #clock: FakeClock;
  isDown = false;
  refuted = 0;
  downTries = 0;

  constructor(clock: FakeClock, label: string) {
    this.#clock = clock;
    this.label = label;
  }

  get isKnown(): boolean {
    return this.roundTrips.samples >= 20;
  }

  get hedgeMs(): number {
    return this.isKnown ? Math.max(this.roundTrips.p95Ms, 20) : 100;
  }

  lateMs(nowMs: number): number {
    const owedMs = this.owed.forMs(nowMs);
    return owedMs > this.hedgeMs ? owedMs : 0;
  }

  isSilent(nowMs: number): boolean {
    return this.owed.count >= 3 && this.owed.forMs(nowMs) > 300;
  }

  takeDownTry(): boolean {
    this.downTries++;
    return true;
  }

  /** It answered so often, so soon. */
  answers(times: number, ms: number): this {
    for (let i = 0; i < times; i++) this.roundTrips.add(ms, this.#clock.nowMs());
    return this;
  }
}

export interface Stand {
  readonly clock: FakeClock;
  readonly candidates: readonly Candidate[];
  readonly selection: Selection;
  /** Labels of those that are chosen in so many choices. */
  chosen(times?: number): Set<string>;
}

/** Upstreams `a`, `b` … of one zone. */
export function stand(count: number, policy: Policy): Stand {
  const clock = new FakeClock();
  const candidates = Array.from({ length: count }, (_, i) => new Candidate(clock, String.fromCharCode(97 + i)));
  const upstreams = candidates as unknown as readonly Upstream[];
  const selection = new Selection({ upstreams, policy, clock, random: Math.random });
  const chosen = (times = 200): Set<string> =>
    new Set(Array.from({ length: times }, () => selection.choose(undefined)?.label ?? 'none'));
  return { clock, candidates, selection, chosen };
}
