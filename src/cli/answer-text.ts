import type { SocketAddress } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import type { DecodedMessage, MessageRecord } from '../wire/codec.ts';
import { OPTION_EDE, OPTION_ORIGIN } from '../wire/constants.ts';
import type { Answer } from './dns-exchange.ts';
import { nameText, recordDataText, recordText } from './record-text.ts';

const FLAGS = ['qr', 'aa', 'tc', 'rd', 'ra', 'ad', 'cd'] as const;

/** INFO-CODES that this agent gives or passes on most (RFC 8914, section 4). */
const EDE_NAMES: Readonly<Record<number, string>> = {
  3: 'Stale Answer',
  4: 'Forged Answer',
  6: 'DNSSEC Bogus',
  9: 'DNSKEY Missing',
  13: 'Cached Error',
  15: 'Blocked',
  18: 'Prohibited',
  19: 'Stale NXDOMAIN Answer',
  22: 'No Reachable Authority',
  23: 'Network Error',
};

/** An answer and all there is to say about it. */
export interface Told {
  readonly message: DecodedMessage;
  readonly answer: Answer;
  readonly server: SocketAddress;
}

/** An answer as dig prints it, and where the agent took it from. */
export function answerText({ message, answer, server }: Told): string {
  const records = message.additionals.filter((record) => record.type !== 'OPT');
  const counts = `QUERY: ${message.questions.length}, ANSWER: ${message.answers.length}, AUTHORITY: ${message.authorities.length}, ADDITIONAL: ${message.additionals.length}`;
  const lines = [
    `;; ->>HEADER<<- opcode: QUERY, status: ${message.rcode}, id: ${message.id}`,
    `;; flags: ${flagsOf(message).join(' ')}; ${counts}`,
    ...optLines(message),
    '',
    ';; QUESTION SECTION:',
    ...message.questions.map(({ name, type, class: klass }) => `;${nameText(name)}\t\t${klass ?? 'IN'}\t${type}`),
    ...section('ANSWER', message.answers),
    ...section('AUTHORITY', message.authorities),
    ...section('ADDITIONAL', records),
    '',
    `;; Query time: ${answer.elapsedMs.toFixed(1)} ms`,
    `;; SERVER: ${formatSocketAddress(server)} (${answer.transport.toUpperCase()})`,
    `;; FROM: ${originOf(message) ?? 'unknown (this server is not Signpost)'}`,
    `;; MSG SIZE  rcvd: ${answer.bytes.length}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The same for scripts. */
export function answerJson({ message, answer, server }: Told): object {
  return {
    rcode: message.rcode,
    id: message.id,
    flags: flagsOf(message),
    questions: message.questions.map(({ name, type, class: klass }) => ({
      name: nameText(name),
      type,
      class: klass ?? 'IN',
    })),
    answers: message.answers.map(recordJson),
    authorities: message.authorities.map(recordJson),
    additionals: message.additionals.filter((record) => record.type !== 'OPT').map(recordJson),
    extendedErrors: extendedErrorsOf(message),
    from: originOf(message) ?? null,
    server: formatSocketAddress(server),
    transport: answer.transport,
    queryTimeMs: Number(answer.elapsedMs.toFixed(3)),
    bytes: answer.bytes.length,
  };
}

function recordJson(record: MessageRecord): object {
  const { ttl = 0, class: klass = 'IN' } = record as { ttl?: number; class?: string };
  return { name: nameText(record.name), ttl, class: klass, type: record.type, data: recordDataText(record) };
}

function section(title: string, records: readonly MessageRecord[]): string[] {
  return records.length === 0 ? [] : ['', `;; ${title} SECTION:`, ...records.map(recordText)];
}

function flagsOf(message: DecodedMessage): string[] {
  return FLAGS.filter((flag) => message[`flag_${flag}`]);
}

function optLines(message: DecodedMessage): string[] {
  const opt = message.additionals.find((record) => record.type === 'OPT');
  if (opt?.type !== 'OPT') return [];
  return [
    '',
    ';; OPT PSEUDOSECTION:',
    `; EDNS: version: ${opt.ednsVersion}, flags:${opt.flag_do ? ' do' : ''}; udp: ${opt.udpPayloadSize}`,
    ...extendedErrorsOf(message).map(
      ({ code, name, text }) => `; EDE: ${code} (${name})${text === '' ? '' : `: (${printable(text)})`}`,
    ),
  ];
}

function extendedErrorsOf(message: DecodedMessage): { code: number; name: string; text: string }[] {
  return optionsOf(message, OPTION_EDE)
    .filter((data) => data.length >= 2)
    .map((data) => {
      const code = data.readUInt16BE(0);
      return { code, name: EDE_NAMES[code] ?? 'Other', text: data.toString('utf8', 2) };
    });
}

function originOf(message: DecodedMessage): string | undefined {
  const [data] = optionsOf(message, OPTION_ORIGIN);
  return data && printable(data.toString('utf8'));
}

function optionsOf(message: DecodedMessage, code: number): Buffer[] {
  const opt = message.additionals.find((record) => record.type === 'OPT');
  if (opt?.type !== 'OPT') return [];
  // The library's types list only options that it knows by name; it reads all.
  const options = opt.options as unknown as { code: number; data?: Buffer }[];
  return options.filter((option) => option.code === code).map((option) => option.data ?? Buffer.alloc(0));
}

/** Text of the network, without what could move a terminal's cursor. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}
