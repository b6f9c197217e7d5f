import type { MessageRecord } from '../wire/codec.ts';

/** A name of the codec in presentation form, with its trailing dot; what a terminal must not see is escaped (RFC 1035, section 5.1). */
export function nameText(name: string): string {
  return name === '.' || name === '' ? '.' : `${escaped(name)}.`;
}

/** `name TTL class type data`, as in a zone file. Types without a form of their own: RFC 3597, section 5. */
export function recordText(record: MessageRecord): string {
  if (record.type === 'OPT') return '';
  return [nameText(record.name), record.ttl ?? 0, record.class ?? 'IN', record.type, recordDataText(record)].join('\t');
}

/** What a record says, as in a zone file. */
export function recordDataText(record: MessageRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.data;
    case 'CNAME':
    case 'DNAME':
    case 'NS':
    case 'PTR':
      return nameText(record.data);
    case 'MX':
      return `${record.data.preference ?? 0} ${nameText(record.data.exchange)}`;
    case 'SRV':
      return `${record.data.priority ?? 0} ${record.data.weight ?? 0} ${record.data.port} ${nameText(record.data.target)}`;
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
      return [nameText(mname), nameText(rname), serial, refresh, retry, expire, minimum].join(' ');
    }
    case 'TXT':
      return [record.data].flat().map(quoted).join(' ');
    case 'HINFO':
      return `${quoted(record.data.cpu)} ${quoted(record.data.os)}`;
    case 'CAA':
      return `${record.data.flags ?? 0} ${escaped(record.data.tag)} ${quoted(record.data.value)}`;
    case 'NAPTR': {
      const { order, preference, flags, services, regexp, replacement } = record.data;
      return [order, preference, quoted(flags), quoted(services), quoted(regexp), nameText(replacement)].join(' ');
    }
    default:
      return securityDataText(record);
  }
}

/** The records of DNSSEC, and all that are left. */
function securityDataText(record: MessageRecord): string {
  switch (record.type) {
    case 'DS': {
      const { keyTag, algorithm, digestType, digest } = record.data;
      return [keyTag, algorithm, digestType, digest.toString('hex').toUpperCase()].join(' ');
    }
    case 'DNSKEY':
      return [record.data.flags, 3, record.data.algorithm, record.data.key.toString('base64')].join(' ');
    case 'RRSIG': {
      const { typeCovered, algorithm, labels, originalTTL, expiration, inception, keyTag, signersName, signature } =
        record.data;
      const times = [dateText(expiration), dateText(inception)];
      return [
        typeCovered,
        algorithm,
        labels,
        originalTTL,
        ...times,
        keyTag,
        nameText(signersName),
        signature.toString('base64'),
      ].join(' ');
    }
    case 'NSEC':
      return [nameText(record.data.nextDomain), ...record.data.rrtypes].join(' ');
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = record.data;
      return [usage, selector, matchingType, certificate.toString('hex').toUpperCase()].join(' ');
    }
    default:
      return opaqueText((record as { data?: unknown }).data);
  }
}

function opaqueText(data: unknown): string {
  if (data instanceof Uint8Array)
    return `\\# ${data.length} ${Buffer.from(data).toString('hex').toUpperCase()}`.trimEnd();
  return escaped(JSON.stringify(data) ?? '');
}

function quoted(text: string | Uint8Array): string {
  const characters = typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
  return `"${escaped(characters.replace(/["\\]/g, '\\$&'))}"`;
}

/** RRSIG's own form of a time: YYYYMMDDHHmmSS. */
function dateText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/[-:T]|\.\d+Z/g, '');
}

/** Control characters could move a terminal's cursor; others than ASCII are not what the wire holds. */
function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (character) =>
    [...Buffer.from(character, character.charCodeAt(0) < 256 ? 'latin1' : 'utf8')]
      .map((byte) => `\\${String(byte).padStart(3, '0')}`)
      .join(''),
  );
}
