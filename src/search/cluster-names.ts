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

/**
 * Offset of the service's label where the name is `svc.ns.svc.Z` or lies below it, else -1. The name lies in [start, nameEnd), uncompressed, in any case, and is at or
 * below a zone of `zoneLabels` labels, the root not counted. Allocates nothing.
 */
export function serviceAt(bytes: Uint8Array, start: number, nameEnd: number, zoneLabels: number): number {
  const own = countLabels(bytes, start, nameEnd - 1) - zoneLabels;
  if (own < LABELS_OF_SERVICE) return -1;
  const at = skipLabels(bytes, start, own - LABELS_OF_SERVICE);
  return isLabel(bytes, skipLabels(bytes, at, 2), SVC) ? at : -1;
}

/**
 * Offset of the nearest name strictly above this one at which NXDOMAIN is a cut (RFC 8020: nothing below it exists either), or -1 where there is none: the service
 * for what lies below it, the namespace for a service, and for names that are neither of Services nor of pods the label before the zone. None above names with a
 * label that begins with an underscore (SRV, `_zone`), of pods, and below dns.Z and dns-version.Z. Arguments as of `serviceAt`.
 */
export function cutAt(bytes: Uint8Array, start: number, nameEnd: number, zoneLabels: number): number {
  const own = countLabels(bytes, start, nameEnd - 1) - zoneLabels;
  if (own < 2) return -1;
  const last = skipLabels(bytes, start, own - 1);
  if (isLabel(bytes, last, POD) || isLabel(bytes, last, DNS) || isLabel(bytes, last, DNS_VERSION)) return -1;
  if (!isLabel(bytes, last, SVC)) return hasUnderscore(bytes, start, last) ? -1 : last;
  if (own < LABELS_OF_SERVICE) return -1;
  const service = skipLabels(bytes, start, own - LABELS_OF_SERVICE);
  if (service === start) return hasUnderscore(bytes, start, last) ? -1 : skipLabels(bytes, start, 1);
  return hasUnderscore(bytes, start, service) ? -1 : service;
}

/** Offset of the namespace's label where the name is `ns.svc.Z` or lies below it, else -1. Arguments as of `serviceAt`. */
export function namespaceAt(bytes: Uint8Array, start: number, nameEnd: number, zoneLabels: number): number {
  const own = countLabels(bytes, start, nameEnd - 1) - zoneLabels;
  if (own < 2) return -1;
  const at = skipLabels(bytes, start, own - 2);
  return isLabel(bytes, skipLabels(bytes, at, 1), SVC) ? at : -1;
}

/** Of `svc.ns.svc`. */
const LABELS_OF_SERVICE = 3;
const UNDERSCORE = 0x5f;
const ZONE = labelOf('_zone');

/** Labels in [start, end). */
export function countLabels(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at += 1 + bytes[at]!) count++;
  return count;
}

function skipLabels(bytes: Uint8Array, at: number, count: number): number {
  for (; count > 0; count--) at += 1 + bytes[at]!;
  return at;
}

/** Whether a label in [at, end) begins with an underscore. */
export function hasUnderscore(bytes: Uint8Array, at: number, end: number): boolean {
  for (; at < end; at += 1 + bytes[at]!) if (bytes[at + 1] === UNDERSCORE) return true;
  return false;
}

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
