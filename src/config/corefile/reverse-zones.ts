import * as net from 'node:net';

/**
 * The reverse zones of `10.0.0.0/24` or `fd00::/56`: several where the prefix does not end on a label's border (8 bits for IPv4, 4 for IPv6),
 * undefined where `text` is no prefix in this notation.
 */
export function reverseZones(text: string): string[] | undefined {
  const [, host, length] = /^([0-9A-Fa-f.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  if (host === undefined || net.isIP(host) === 0) return undefined;
  const isIPv6 = net.isIPv6(host);
  const bits = Number(length);
  if (bits > (isIPv6 ? 128 : 32)) return undefined;
  const digits = isIPv6 ? nibbles(host) : host.split('.').map(Number);
  const digitBits = isIPv6 ? 4 : 8;
  const whole = Math.floor(bits / digitBits);
  const rest = bits % digitBits;
  const suffix = isIPv6 ? 'ip6.arpa' : 'in-addr.arpa';
  const zone = (labels: readonly number[]): string =>
    [...labels]
      .reverse()
      .map((label) => `${label.toString(isIPv6 ? 16 : 10)}.`)
      .join('') + suffix;
  if (rest === 0) return [zone(digits.slice(0, whole))];
  const count = 2 ** (digitBits - rest);
  const first = Math.floor(digits[whole]! / count) * count;
  return Array.from({ length: count }, (_, index) => zone([...digits.slice(0, whole), first + index]));
}

/** The 32 hexadecimal digits of an IPv6 address. */
function nibbles(host: string): number[] {
  const tail = /[^:]*\.[^:]*$/.exec(host)?.[0];
  const words = tail === undefined ? host : host.replace(tail, hexOf(tail));
  const [head = '', behind] = words.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = behind === undefined || behind === '' ? [] : behind.split(':');
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return [...all.map((word) => word.padStart(4, '0')).join('')].map((digit) => Number.parseInt(digit, 16));
}

function hexOf(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
