import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ApiClient } from './api-client.ts';
import type { Backoff } from './backoff.ts';
import type { Watch } from './watch.ts';

export interface FollowerParts {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes that of each watch; tests wait less. */
  readonly backoff?: () => Backoff;
}

/** What a feature knows of the API, for `/ready`. */
export interface FollowerState {
  readonly warning: boolean;
  readonly message: string;
}

/** What follows objects of the API for one feature, and says how that goes. */
export interface Follower {
  /** The label of its metrics, and the end of its reason's name: `services`, `pods`. */
  readonly feature: string;
  readonly watches: readonly Watch[];
  readonly state: FollowerState;
  start(): void;
  close(): void;
}
