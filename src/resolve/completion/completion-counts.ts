import type { DecisionState } from './completion-decision.ts';

/** What became of the first queries of a search, and why the others were answered as they were asked. The label `outcome`. */
export const COMPLETION_OUTCOMES = [
  'completed',
  /** "Nothing of this type", beside the other type's completed answer. */
  'no-data',
  /** Completed, but one of the two types failed at its upstream. */
  'servfail',
  'own',
  'absent',
  'no-address',
  'failed',
  'slow',
  /** The longer one of the two answers is more than the client takes. */
  'large',
  /** What was found a moment ago is there no more. */
  'gone',
] as const;

export type CompletionOutcome = (typeof COMPLETION_OUTCOMES)[number];

/** Counts them. */
export class CompletionCounts {
  readonly #counts = new Map<string, number>();

  count(outcome: CompletionOutcome | DecisionState): void {
    this.#counts.set(outcome, this.read(outcome) + 1);
  }

  read(outcome: CompletionOutcome | DecisionState): number {
    return this.#counts.get(outcome) ?? 0;
  }
}
