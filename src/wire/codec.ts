import { isIPv4, isIPv6 } from 'node:net';
import packet, { type Answer, type OptAnswer, type RecordClass } from 'dns-packet';
import { SignpostError } from '../core/errors.ts';
import { nameFromText } from './name.ts';
import { rcodeToText, typeFromText, typeToText } from './type-names.ts';

/**
 * A record of a type that has no form of its own here (HTTPS, say, or 'TYPE1234'): `data` is its RDATA.
 */
export interface OpaqueRecord {
  type: 'HTTPS' | 'SVCB' | `TYPE${number}`;
  name: string;
  class?: RecordClass;
  ttl?: number;
  data: Uint8Array;
}

export type MessageRecord = Answer | OpaqueRecord;

export interface Question {
  name: string;
  /** A mnemonic, or 'TYPE1234'. */
  type: string;
  /** IN where it is left out. */
  class?: RecordClass;
}

/**
 * A message as an object, where one is worth its price: built answers, the command line, the demo, tests. Names are in the presentation
 * form of dns-packet: without trailing dot ('.' is the root) and without escapes.
 */
export interface Message {
  id?: number;
  type?: 'query' | 'response';
  /** Header octets 2 and 3 but for QR, which `type` says: opcode, flags and RCODE. */
  flags?: number;
  questions?: Question[];
  answers?: MessageRecord[];
  authorities?: MessageRecord[];
  additionals?: MessageRecord[];
}

export interface DecodedMessage extends Required<Message> {
  /** All 12 bits, those of OPT too: 'NOERROR', 'BADVERS'. */
  rcode: string;
  flag_qr: boolean;
  flag_aa: boolean;
  flag_tc: boolean;
  flag_rd: boolean;
  flag_ra: boolean;
  flag_ad: boolean;
  flag_cd: boolean;
}

/** The message in wire form, its names not compressed. Throws ERR_MALFORMED where a name or type is not one. */
export function encodeMessage(message: Message): Uint8Array {
  try {
    return packet.encode({
      ...message,
      questions: (message.questions ?? []).map(toPacketNames) as never[],
      answers: (message.answers ?? []).map(toPacketRecord),
      authorities: (message.authorities ?? []).map(toPacketRecord),
      additionals: (message.additionals ?? []).map(toPacketRecord),
    });
  } catch (error) {
    throw malformed('encode', error);
  }
}

/** The message in `bytes`, all of it. Throws ERR_MALFORMED where it is none. */
export function decodeMessage(bytes: Uint8Array): DecodedMessage {
  try {
    const decoded = packet.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    // RDATA that runs past the end is cut silently.
    if (packet.decode.bytes > bytes.length) throw new Error('it ends in the middle of a record');
    const additionals = fromPacketRecords(decoded.additionals);
    const opt = additionals.find((record): record is OptAnswer => record.type === 'OPT');
    return {
      ...decoded,
      id: decoded.id!,
      type: decoded.type!,
      flags: decoded.flags!,
      rcode: rcodeToText((decoded.flags! & 0xf) | ((opt?.extendedRcode ?? 0) << 4)),
      questions: decoded.questions!.map((question) => ({
        ...question,
        type: fromPacketType(question.type),
      })) as never[],
      answers: fromPacketRecords(decoded.answers),
      authorities: fromPacketRecords(decoded.authorities),
      additionals,
    };
  } catch (error) {
    throw malformed('decode', error);
  }
}

function malformed(action: string, cause: unknown): SignpostError {
  if (cause instanceof SignpostError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SignpostError('ERR_MALFORMED', `Cannot ${action} a DNS message: ${reason}`, { cause });
}

/** Types whose RDATA dns-packet takes apart; it writes a type that it does not know as type 0, so the others go to it by number. */
const STRUCTURED = new Set(
  [
    'A',
    'AAAA',
    'CAA',
    'CNAME',
    'DNAME',
    'DNSKEY',
    'DS',
    'HINFO',
    'MX',
    'NAPTR',
    'NS',
    'NSEC',
    'NSEC3',
    'NULL',
    'OPT',
    'PTR',
  ].concat(['RP', 'RRSIG', 'SOA', 'SRV', 'SSHFP', 'TLSA', 'TXT']),
);

function toPacketNames<T extends { name: string; type: string }>(named: T): T {
  if (nameFromText(named.name) === undefined || named.name.includes('\\')) {
    throw new SignpostError(
      'ERR_MALFORMED',
      `Cannot encode the name '${named.name}': expected labels of 1 to 63 characters`,
    );
  }
  const type = typeFromText(named.type);
  if (type < 0)
    throw new SignpostError(
      'ERR_MALFORMED',
      `Cannot encode the type '${named.type}': expected such as AAAA or TYPE1234`,
    );
  const text = typeToText(type);
  return { ...named, type: STRUCTURED.has(text) ? text : `UNKNOWN_${type}` };
}

function toPacketRecord(record: MessageRecord): Answer {
  const named = toPacketNames(record) as Answer;
  if ((named.type === 'A' && !isIPv4(named.data)) || (named.type === 'AAAA' && !isIPv6(named.data))) {
    throw new SignpostError('ERR_MALFORMED', `Cannot encode '${named.data}' as the address of an ${named.type} record`);
  }
  // dns-packet changes the strings of a TXT record's array to buffers, in place.
  if (named.type === 'TXT' && Array.isArray(named.data)) return { ...named, data: [...named.data] };
  if (!named.type.startsWith('UNKNOWN_')) return named;
  const { data } = record as OpaqueRecord;
  return { ...named, data: Buffer.from(data.buffer, data.byteOffset, data.length) } as Answer;
}

function fromPacketRecords(records: Answer[] | undefined): MessageRecord[] {
  return (records ?? []).map((record) => ({ ...record, type: fromPacketType(record.type) }) as MessageRecord);
}

function fromPacketType(text: string): string {
  return text.startsWith('UNKNOWN_') ? typeToText(Number(text.slice('UNKNOWN_'.length))) : text;
}
