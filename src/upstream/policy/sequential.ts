import type { Policy } from './policy.ts';

/** The first that lives, in the order of the configuration. */
export class Sequential implements Policy {
  readonly keepsOrder = true;

  choose(): number {
    return 0;
  }
}
