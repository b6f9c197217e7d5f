import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { ask, exchangeUdp, type Server } from '../client/ask.ts';
import { encodeName, FLAGS, type Message, type Section, TYPES } from '../client/message.ts';

/** What a completer can do wrong, each against one of the rules that keep resolvers right; and nothing. */
export const FLAWS = [
  'none',
  'completes one type and not the other',
  'goes past a name without addresses',
  'stops at a name without addresses',
  'gives the addresses without CNAME',
  'gives the addresses before the CNAME',
  'writes the target in lower case',
  'truncates what is too large',
  'fails where a candidate fails',
  'completes every type',
] as const;

export type Flaw = (typeof FLAWS)[number];

export interface CompleterOptions {
  readonly behind: Server;
  /** Where it listens. */
  readonly at: Server;
  readonly searches: readonly string[];
  readonly ndots: number;
  readonly flaw: Flaw;
}

export interface Completer {
  stop(): void;
}

const NXDOMAIN = 3;
const SERVFAIL = 2;
/** What any client takes in a datagram. */
const MOST_BYTES = 512;
const DECISION_MS = 1000;

/** One candidate's two answers. */
interface Found {
  readonly suffix: string;
  readonly A: Message;
  readonly AAAA: Message;
}

type Decision = Found | 'natural' | 'failure';

/**
 * A DNS server that completes search paths for every client alike, as simply as can be: the comparison's own, to prove that it finds nothing wrong with the rules,
 * and each breach of them.
 */
export async function startCompleter({ behind, at, searches, ndots, flaw }: CompleterOptions): Promise<Completer> {
  const first = `.${searches[0]!}`;
  const decisions = new Map<string, Promise<Decision>>();
  const decisionOf = (typed: string): Promise<Decision> => {
    const key = typed.toLowerCase();
    const known = decisions.get(key) ?? inTime(decide(behind, typed, searches, flaw));
    decisions.set(key, known);
    return known;
  };
  const answerTo = async (query: Buffer): Promise<Buffer> => {
    const { name, type } = questionOf(query);
    const typed = name.slice(0, -first.length);
    const isCompleted = type === 'A' || type === 'AAAA' || flaw === 'completes every type';
    const isSearched = name.toLowerCase().endsWith(first) && typed.split('.').length <= ndots;
    const asked = { name, type, typed, flaw };
    const reply = isCompleted && isSearched ? replyTo(query, await decisionOf(typed), asked) : undefined;
    return reply ?? exchangeUdp(behind, query);
  };
  return serve(at, behind, answerTo);
}

/** Datagrams are answered; connections go to the server behind. */
async function serve(at: Server, behind: Server, answerTo: (query: Buffer) => Promise<Buffer>): Promise<Completer> {
  const udp = createSocket('udp4');
  udp.on('message', (query, { port, address }) => {
    // Where nothing comes in time, a resolver asks again; what comes after the end nobody waits for.
    answerTo(query)
      .then((reply) => udp.send(reply, port, address))
      .catch(() => {});
  });
  const tcp = createServer((client) => {
    const server = connect(behind.port, behind.host);
    for (const end of [client, server]) end.on('error', () => {});
    client.pipe(server).pipe(client);
  });
  udp.bind(at.port, at.host);
  tcp.listen(at.port, at.host);
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  return {
    stop() {
      udp.close();
      tcp.close();
    },
  };
}

/** Candidates in the order of the search path; one is left behind only where it does not exist. */
async function decide(server: Server, typed: string, searches: readonly string[], flaw: Flaw): Promise<Decision> {
  for (const suffix of [...searches, '']) {
    const name = `${typed}.${suffix}`;
    const [A, AAAA] = await Promise.all(['A', 'AAAA'].map((kind) => ask(server, { name, type: kind, udpSize: 1232 })));
    const found: Found = { suffix, A: A!, AAAA: AAAA! };
    const both = [A!, AAAA!];
    if (both.every(({ rcode }) => rcode === NXDOMAIN)) continue;
    if (both.some(hasAddress)) return suffix === searches[0] ? 'natural' : found;
    if (both.some(({ rcode }) => rcode === SERVFAIL)) {
      return flaw === 'fails where a candidate fails' ? 'failure' : 'natural';
    }
    if (flaw === 'stops at a name without addresses') return suffix === searches[0] ? 'natural' : found;
    if (flaw !== 'goes past a name without addresses') return 'natural';
  }
  return 'natural';
}

function inTime(decision: Promise<Decision>): Promise<Decision> {
  const late = new Promise<Decision>((resolve) => setTimeout(resolve, DECISION_MS, 'natural').unref());
  return Promise.race([decision.catch((): Decision => 'natural'), late]);
}

function hasAddress({ answers }: Message): boolean {
  return answers.some(({ type }) => type === TYPES['A'] || type === TYPES['AAAA']);
}

interface Asked {
  readonly name: string;
  readonly type: string;
  readonly typed: string;
  readonly flaw: Flaw;
}

/** Undefined: what the first search name's own answer is. */
function replyTo(query: Buffer, decision: Decision, asked: Asked): Buffer | undefined {
  if (decision === 'natural') return undefined;
  if (decision === 'failure') return message(query, SERVFAIL, [], []);
  const { flaw, type } = asked;
  if (type !== 'A' && type !== 'AAAA') return message(query, 0, [aliasOf(asked, decision.suffix)], []);
  if (flaw === 'completes one type and not the other' && type === 'A') return undefined;
  const both = { A: completedBy(query, decision, 'A', asked), AAAA: completedBy(query, decision, 'AAAA', asked) };
  if (both.A.length <= MOST_BYTES && both.AAAA.length <= MOST_BYTES) return both[type];
  if (flaw !== 'truncates what is too large') return undefined;
  const cut = message(query, 0, [], []);
  cut.writeUInt16BE(cut.readUInt16BE(2) | FLAGS.TC, 2);
  return cut;
}

function completedBy(query: Buffer, decision: Found, type: 'A' | 'AAAA', asked: Asked): Buffer {
  const { flaw, typed } = asked;
  const { suffix } = decision;
  const answer = decision[type];
  if (answer.rcode === SERVFAIL) return message(query, SERVFAIL, [], []);
  const target = suffix === '' ? typed : `${typed}.${suffix}`;
  // musl takes the canonical name from whichever answer it reads last, so both have the aliases.
  const aliases = decision[type === 'A' ? 'AAAA' : 'A'].answers.filter((one) => one.type === TYPES['CNAME']);
  const owners = (answer.answers.length > 0 ? answer.answers : aliases).map((section) => {
    const isTarget = section.owner === `${target.toLowerCase()}.`;
    if (flaw === 'gives the addresses without CNAME') return record(section, isTarget ? asked.name : section.owner);
    return record(section, isTarget && flaw !== 'writes the target in lower case' ? target : section.owner);
  });
  const alias = flaw === 'gives the addresses without CNAME' ? [] : [aliasOf(asked, suffix)];
  const answers = flaw === 'gives the addresses before the CNAME' ? [...owners, ...alias] : [...alias, ...owners];
  return message(
    query,
    0,
    answers,
    answer.authorities.map((section) => record(section, section.owner)),
  );
}

function aliasOf({ name, typed, flaw }: Asked, suffix: string): Buffer {
  const target = suffix === '' ? typed : `${typed}.${suffix}`;
  const data = encodeName(flaw === 'writes the target in lower case' ? target.toLowerCase() : target).toString('hex');
  return record({ type: TYPES['CNAME']!, class: 1, ttl: 5, data }, name);
}

function record({ type, class: recordClass, ttl, data }: Omit<Section, 'owner'>, owner: string): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(recordClass, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length / 2, 8);
  return Buffer.concat([encodeName(owner), fixed, Buffer.from(data, 'hex')]);
}

function message(query: Buffer, rcode: number, answers: readonly Buffer[], authorities: readonly Buffer[]): Buffer {
  const { end } = questionOf(query);
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(FLAGS.QR | FLAGS.RD | FLAGS.RA | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  header.writeUInt16BE(authorities.length, 8);
  return Buffer.concat([header, query.subarray(12, end), ...answers, ...authorities]);
}

/** The name as it was asked, without the last dot. */
function questionOf(bytes: Buffer): { name: string; type: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (; bytes[at] !== 0; at += 1 + bytes[at]!) labels.push(bytes.toString('latin1', at + 1, at + 1 + bytes[at]!));
  const number = bytes.readUInt16BE(at + 1);
  const type = Object.keys(TYPES).find((word) => TYPES[word] === number) ?? `${number}`;
  return { name: labels.join('.'), type, end: at + 5 };
}
