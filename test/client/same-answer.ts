import assert from 'node:assert/strict';
import { type AskOptions, ask, type Server } from './ask.ts';
import { encodeQuestion, FLAGS, type Message, type Section, TYPES } from './message.ts';

/** One question, asked of the agent, and how. */
export interface Comparison extends AskOptions {
  /** What the upstream says to the same question over TCP. */
  readonly truth: Message;
  /** The agent's upstream answers over UDP: it may have left out additional records. */
  readonly isUpstreamUdp?: boolean;
}

/**
 * Asks the agent and compares with what the upstream says: every section, but TTLs, order and OPT. A reply that was cut to a client's size must have
 * TC, hold nothing that the upstream did not say, and be whole over TCP.
 */
export async function assertSameAnswer(
  agent: Server,
  { truth, isUpstreamUdp = false, ...question }: Comparison,
): Promise<void> {
  const label = `${question.name} ${question.type}${question.dnssecOk ? ' DO' : ''}${question.overTcp ? ' over TCP' : ''}`;
  const reply = await ask(agent, question);
  assert.equal(
    reply.question,
    encodeQuestion(question).toString('hex', 12, 12 + reply.question.length / 2),
    `${label}: question`,
  );
  assert.equal(reply.rcode, truth.rcode, `${label}: rcode`);
  assert.equal(reply.flags & FLAGS.QR, FLAGS.QR, `${label}: QR`);
  assert.equal(
    reply.opt !== undefined,
    question.dnssecOk !== undefined || question.udpSize !== undefined,
    `${label}: OPT`,
  );
  assert.equal(reply.flags & FLAGS.AD, question.dnssecOk ? truth.flags & FLAGS.AD : 0, `${label}: AD`);
  if (reply.isTruncated) {
    assert.ok(!question.overTcp, `${label}: TC over TCP`);
    const room = question.udpSize ?? (question.dnssecOk === undefined ? 512 : 1232);
    assert.ok(reply.length <= room, `${label}: ${reply.length} bytes, the client takes ${room}`);
    assert.ok(truth.length > room, `${label}: TC, but ${truth.length} bytes fit into ${room}`);
    assertSubset(reply.answers, truth.answers, `${label}: answer`);
    assertSubset(reply.authorities, truth.authorities, `${label}: authority`);
    return assertSameAnswer(agent, { truth, isUpstreamUdp, ...question, overTcp: true });
  }
  assert.deepEqual(texts(reply.answers), texts(truth.answers), `${label}: answer`);
  assert.deepEqual(texts(reply.authorities), texts(truth.authorities), `${label}: authority`);
  assertSubset(reply.additionals, truth.additionals, `${label}: additional`);
  if (question.overTcp && !isUpstreamUdp) {
    assert.deepEqual(texts(reply.additionals), texts(truth.additionals), `${label}: additional`);
  }
  assertAliasesLead(reply.answers, label);
}

/** Records as sorted texts without their TTL. */
export function texts(records: readonly Section[]): string[] {
  return records.map(({ owner, type, class: code, data }) => `${owner} ${code} ${type} ${data}`).sort();
}

function assertSubset(some: readonly Section[], all: readonly Section[], label: string): void {
  const known = new Set(texts(all));
  assert.deepEqual(
    texts(some).filter((text) => !known.has(text)),
    [],
    `${label}: records that the upstream did not send`,
  );
}

/** A resolver that reads once from the top needs each alias before what it leads to. */
function assertAliasesLead(answers: readonly Section[], label: string): void {
  const lastAlias = answers.findLastIndex((record) => record.type === TYPES['CNAME']);
  const firstAddress = answers.findIndex((record) => record.type === TYPES['A'] || record.type === TYPES['AAAA']);
  assert.ok(firstAddress === -1 || lastAlias < firstAddress, `${label}: a CNAME stands behind an address`);
}
