import { equalFolded } from '../wire/name.ts';

const SVC = labelOf('svc');
const POD = labelOf('pod');
const DNS_VERSION = labelOf('dns-version');
const DNS = labelOf('dns');
/** Above the service: endpoint name, or port and protocol. */
const MOST_LABELS_LEFT_OF_SERVICE = 2;

/**
 * True where no name of this shape can ever exist in a cluster zone of the Kubernetes schema: its last label before the zone is neither `svc` nor
 * `pod`, or it has three or more labels left of a service. `_zone` names may exist (CoreDNS 1.14.7), and so may dns-version and ns.dns.
 * The name lies in [start, nameEnd), uncompressed; `zoneLabels` is how many labels the zone has, the root not counted.
 */
export function cannotExist(bytes: Uint8Array, start: number, nameEnd: number, zoneLabels: number): boolean {
  const labels = labelOffsets(bytes, start, nameEnd);
  const own = labels.length - zoneLabels;
  if (own <= 0) return false;
  const last = labels[own - 1]!;
  if (isLabel(bytes, last, POD)) return false;
  if (!isLabel(bytes, last, SVC)) return !isLabel(bytes, last, DNS_VERSION) && !isLabel(bytes, last, DNS);
  // name.ns.svc: three labels, and what stands left of them.
  if (own - 3 <= MOST_LABELS_LEFT_OF_SERVICE) return false;
  return !labels.slice(0, own).some((at) => bytes[at + 1] === UNDERSCORE && isLabel(bytes, at, ZONE));
}

const UNDERSCORE = 0x5f;
const ZONE = labelOf('_zone');

function labelOffsets(bytes: Uint8Array, start: number, nameEnd: number): number[] {
  const offsets: number[] = [];
  for (let at = start; at < nameEnd - 1; at += 1 + bytes[at]!) offsets.push(at);
  return offsets;
}

function isLabel(bytes: Uint8Array, at: number, label: Uint8Array): boolean {
  return bytes[at] === label[0] && equalFolded(bytes, at, label, 0, label.length);
}

function labelOf(text: string): Uint8Array {
  return Uint8Array.from([text.length, ...new TextEncoder().encode(text)]);
}
