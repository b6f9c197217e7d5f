/** Of long work in a turn of the loop: in between, what has come meanwhile is answered. */
const SLICE_MS = 1;

/** Work cut into steps, each far below a millisecond, with a result. What it throws, its runner throws. */
export type Steps<T> = Generator<void, T, void>;

/** Runs work a millisecond in each turn of the loop, the first of them at once; short work is over when this returns its promise. */
export function inSlices<T>(steps: Steps<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const run = (): void => {
      try {
        const result = runFor(steps, SLICE_MS);
        if (result === undefined) setImmediate(run);
        else resolve(result.value);
      } catch (error) {
        reject(error);
      }
    };
    run();
  });
}

/** Runs work to its end in one go: for a start, when nobody waits for an answer yet. */
export function atOnce<T>(steps: Steps<T>): T {
  return runFor(steps, Number.POSITIVE_INFINITY)!.value;
}

function runFor<T>(steps: Steps<T>, limitMs: number): { value: T } | undefined {
  const endMs = performance.now() + limitMs;
  do {
    const { done, value } = steps.next();
    if (done) return { value };
  } while (performance.now() < endMs);
  return undefined;
}
