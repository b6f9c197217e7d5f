/**
 * Why a probe is not meant for this process; undefined where it is. With the host's network the probes of an old and a new pod reach the same
 * port, so a probe says whom it means: `?pod=UID`.
 */
export function mistakenIdentity(query: URLSearchParams, podUid: string | undefined): string | undefined {
  const asked = query.get('pod');
  if (asked === null || (podUid !== undefined && asked === podUid)) return undefined;
  return `Asked of pod ${asked}, this is ${podUid === undefined ? 'a process without POD_UID' : `pod ${podUid}`}`;
}
