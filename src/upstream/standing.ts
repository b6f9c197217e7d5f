/** How an upstream stands among those of its zone: the lower, the sooner it is asked. `Selection` has the rule. */
export type Standing =
  | typeof STANDING_GOOD
  | typeof STANDING_SLOW
  | typeof STANDING_DOUBTFUL
  | typeof STANDING_DOWN
  | typeof STANDING_LOOPED;

export const STANDING_GOOD = 0;
/** It answers, but later than the others would when they are asked as a second one; or it only says no. */
export const STANDING_SLOW = 1;
/** It owes replies for longer than it takes, or its last question failed: it is being probed. */
export const STANDING_DOUBTFUL = 2;
export const STANDING_DOWN = 3;
/** What it is asked comes back to us. */
export const STANDING_LOOPED = 4;
