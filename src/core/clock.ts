/** Time that never goes back; tests inject their own. */
export interface Clock {
  /** Milliseconds since an arbitrary origin, with fractions. A stepped wall clock does not move it. */
  nowMs(): number;
}

export const monotonicClock: Clock = { nowMs: () => performance.now() };
