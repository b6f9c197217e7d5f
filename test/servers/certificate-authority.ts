import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';

/** What a TLS server needs, as PEM text. */
export interface ServerIdentity {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** DNS names and addresses that it is for. */
  readonly names: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Signed by its own key, not by the authority. */
  readonly isSelfSigned?: boolean;
}

const HOUR_MS = 3_600_000;

/** A certificate authority of a test's own: nothing else trusts it, and its key never leaves the process. */
export class CertificateAuthority {
  readonly #name: string;
  readonly #key: KeyObject;
  /** Its own certificate, as PEM text. */
  readonly cert: string;

  constructor(name = 'test authority') {
    this.#name = name;
    const { publicKey, privateKey } = newKey();
    this.#key = privateKey;
    const extensions = [extension('551d13', [0x30, 0x03, 0x01, 0x01, 0xff], true)];
    this.cert = certificate({ issuer: name, subject: name, publicKey, extensions, ...around() }, privateKey);
  }

  /** A certificate for a server, valid from an hour ago for a day where nothing else is said. */
  issue({ names, isSelfSigned = false, ...times }: CertificateOptions): ServerIdentity {
    const { publicKey, privateKey } = newKey();
    const subject = names[0] ?? 'nobody';
    const issuer = isSelfSigned ? subject : this.#name;
    const extensions = [extension('551d11', der(0x30, ...names.map(alternativeName)))];
    const parts = { issuer, subject, publicKey, extensions, ...around(), ...times };
    return {
      cert: certificate(parts, isSelfSigned ? privateKey : this.#key),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }
}

function newKey(): { publicKey: KeyObject; privateKey: KeyObject } {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { publicKey: createPublicKey(privateKey), privateKey: createPrivateKey(privateKey) };
}

function around(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - HOUR_MS), notAfter: new Date(Date.now() + 24 * HOUR_MS) };
}

interface CertificateParts {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Uint8Array[];
}

const ECDSA_WITH_SHA256 = der(0x30, der(0x06, hex('2a8648ce3d040302')));

/** RFC 5280, section 4.1. */
function certificate(parts: CertificateParts, key: KeyObject): string {
  const signed = der(
    0x30,
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, Uint8Array.of(0x01), randomBytes(15)),
    ECDSA_WITH_SHA256,
    distinguishedName(parts.issuer),
    der(0x30, time(parts.notBefore), time(parts.notAfter)),
    distinguishedName(parts.subject),
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...parts.extensions)),
  );
  const signature = der(0x03, Uint8Array.of(0), sign('sha256', signed, key));
  const text = Buffer.from(der(0x30, signed, ECDSA_WITH_SHA256, signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${text.match(/.{1,64}/g)!.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string): Uint8Array {
  return der(0x30, der(0x31, der(0x30, der(0x06, hex('550403')), der(0x0c, Buffer.from(commonName)))));
}

/** GeneralizedTime, to the second. */
function time(date: Date): Uint8Array {
  return der(0x18, Buffer.from(`${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`));
}

function alternativeName(name: string): Uint8Array {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, addressBytes(name));
}

function addressBytes(address: string): Uint8Array {
  if (!isIPv6(address)) return Uint8Array.from(address.split('.'), Number);
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter(Boolean);
  const zeros = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => '0');
  return hex([...groups(head), ...zeros, ...groups(tail)].map((group) => group.padStart(4, '0')).join(''));
}

function extension(id: string, value: Iterable<number>, isCritical = false): Uint8Array {
  const critical = isCritical ? der(0x01, Uint8Array.of(0xff)) : new Uint8Array(0);
  return der(0x30, der(0x06, hex(id)), critical, der(0x04, Uint8Array.from(value)));
}

/** A tag, the length, and the parts (X.690, section 8.1). */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...head), content]);
}

function hex(digits: string): Uint8Array {
  return Buffer.from(digits, 'hex');
}
