import { seededRandom, zipfDraw } from '../names.ts';

/**
 * What the pods of one node look up: 30 pods in 10 namespaces, 60 look-ups a second in all. Six of ten are Services of the own namespace (`web`), a quarter of
 * another (`web.team-3`), the rest outside names. Which of them, by Zipf's law with an exponent of 1.5: with it NodeLocal DNSCache sends some 760 queries for 1,000
 * look-ups, as on the nodes that this stands for. The same look-ups in the same order for every server.
 */
export const NAMESPACES = Array.from({ length: 10 }, (_, index) => `team-${index}`);
export const SERVICES = Array.from({ length: 5 }, (_, index) => `service-${index}`);
/** Names of four top-level domains. */
export const OUTSIDE_NAMES = Array.from({ length: 200 }, (_, index) => {
  const top = ['com', 'net', 'org', 'io'][index % 4]!;
  return `api.site-${index}.${top}`;
});
export const PODS = 30;
export const LOOK_UPS_PER_SECOND = 60;

const EXPONENT = 1.5;
const OWN_NAMESPACE = 0.6;
const OTHER_NAMESPACE = 0.25;

export interface LookUp {
  /** Which of the pods. */
  readonly pod: number;
  readonly name: string;
  readonly isOutside: boolean;
}

/** Pods are spread over the namespaces evenly. */
export function namespaceOf(pod: number): string {
  return NAMESPACES[pod % NAMESPACES.length]!;
}

export function searchOf(pod: number): string[] {
  return [`${namespaceOf(pod)}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local'];
}

/** Of loopback, so that a process can ask from it; to the agent an address like any other. */
export function addressOf(pod: number): string {
  return `127.11.0.${pod + 1}`;
}

export function* lookUps(): Generator<LookUp, never> {
  const random = seededRandom();
  const draw = (names: readonly string[]) => zipfDraw(names, random, EXPONENT);
  const own = draw(SERVICES);
  const any = draw(SERVICES.flatMap((service) => NAMESPACES.map((namespace) => `${service}.${namespace}`)));
  const outside = draw(OUTSIDE_NAMES);
  for (;;) {
    const pod = Math.floor(random() * PODS);
    const kind = random();
    if (kind < OWN_NAMESPACE) yield { pod, name: own(), isOutside: false };
    else if (kind < OWN_NAMESPACE + OTHER_NAMESPACE) yield { pod, name: any(), isOutside: false };
    else yield { pod, name: outside(), isOutside: true };
  }
}
