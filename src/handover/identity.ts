/** Who a process is to the others on its node. */
export interface Identity {
  /** Of the process, like no other's: two containers may have the same `pid`. */
  readonly id: string;
  /** Of its pod: given at the pod's first start, so that a container that is restarted is no newer than it was. */
  readonly generation: number;
  /** Of the process within its pod: each one that SIGUSR2 has started is one more. */
  readonly attempt: number;
  /** `POD_UID`; undefined where nobody said. */
  readonly pod: string | undefined;
  readonly pid: number;
  readonly version: string;
  /** Its network namespace, as the kernel calls it; undefined where it cannot be told. */
  readonly network?: string | undefined;
}

/** Whether `self` may take from `other`. Of two that are equal the one that asks is the newer: its pod's container was started again, and the other is on its way out. */
export function isNewer(self: Identity, other: Identity): boolean {
  if (self.generation !== other.generation) return self.generation > other.generation;
  return self.attempt >= other.attempt;
}

/** Whether each has addresses of its own: sockets of one are of no use to the other, and both serve. */
export function isApart(self: Identity, other: Identity): boolean {
  return self.network !== undefined && other.network !== undefined && self.network !== other.network;
}

/** For a log line or an error: `process 812, pod 1f3c…, version 0.1.0`. */
export function describe({ pid, pod, version }: Identity): string {
  return `process ${pid}${pod === undefined ? '' : ` of pod ${pod}`}, version ${version}`;
}
