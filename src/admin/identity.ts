import { type Answer, errorAnswer } from './page.ts';

/** Whom a probe may mean. */
export interface ProbeIdentity {
  /** `POD_UID` of the environment. */
  readonly podUid: string | undefined;
  /** Asks the process of a pod that stands by behind this one whether it lives: rejects where it does not answer. Undefined: no such process. */
  readonly askStandby?: ((podUid: string) => Promise<void> | undefined) | undefined;
}

/**
 * Why a probe is not meant for this process; undefined where it is. With the host's network the probes of an old and a new pod reach the same
 * port, so a probe says whom it means: `?pod=UID`.
 */
export function mistakenIdentity(query: URLSearchParams, { podUid }: ProbeIdentity): string | undefined {
  const asked = query.get('pod');
  if (asked === null || (podUid !== undefined && asked === podUid)) return undefined;
  return `Asked of pod ${asked}, this is ${podUid === undefined ? 'a process without POD_UID' : `pod ${podUid}`}`;
}

/**
 * The answer to a probe that means a pod that stands by behind this process: after a hand-over its probes come here. It is well, and as ready as it can be, while it lives: kubelet
 * must neither end it nor take its pod for broken, for it takes over again if this process dies. Undefined: the probe means somebody else.
 */
export function standbyAnswer(
  query: URLSearchParams,
  { podUid, askStandby }: ProbeIdentity,
  alive: (message: string) => Answer,
): Promise<Answer> | undefined {
  const asked = query.get('pod');
  if (asked === null || asked === podUid) return undefined;
  return askStandby?.(asked)?.then(
    () => alive(`pod ${asked} stands by, ${podUid === undefined ? 'another process' : `pod ${podUid}`} serves`),
    (error: Error) =>
      errorAnswer(503, 'ERR_STANDBY', `Pod ${asked} should stand by and does not answer: ${error.message}`),
  );
}
