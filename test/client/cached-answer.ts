import assert from 'node:assert/strict';
import { ask, type Server } from './ask.ts';
import type { Message } from './message.ts';

/** The agent's option for "where is this from?", sent empty. */
const ORIGIN = 65_023;

export interface Expected {
  readonly name: string;
  /** A where not given. */
  readonly type?: string;
  /** RDATA of the answer: A as text (`192.0.2.1`), all else in hexadecimal. None: NXDOMAIN. */
  readonly data: readonly string[];
  /** The name is there, with no record of the type. */
  readonly hasOtherTypes?: boolean;
}

/** Fails where the agent does not give this answer at once, or does not keep it: after this, a change of the records has something to overtake. */
export async function assertCached(agent: Server, expected: Expected): Promise<void> {
  const { name, type = 'A', data, hasOtherTypes = false } = expected;
  for (const turn of ['at once', 'again']) {
    const reply = await ask(agent, { name, type, options: Buffer.from([ORIGIN >> 8, ORIGIN & 0xff, 0, 0]) });
    const label = `${name} ${type} ${turn}, from ${originOf(reply)}`;
    assert.deepEqual(reply.answers.map((record) => dataToText(type, record.data)).sort(), [...data].sort(), label);
    assert.equal(reply.rcode, data.length > 0 || hasOtherTypes ? 0 : 3, label);
    if (turn === 'again') assert.equal(originOf(reply), 'cache', label);
  }
}

function originOf({ opt }: Message): string {
  const options = Buffer.from(opt?.options ?? '', 'hex');
  for (let at = 0; at < options.length; at += 4 + options.readUInt16BE(at + 2)) {
    if (options.readUInt16BE(at) === ORIGIN)
      return options.toString('latin1', at + 4, at + 4 + options.readUInt16BE(at + 2));
  }
  return 'an unnamed place';
}

function dataToText(type: string, data: string): string {
  return type === 'A' ? Buffer.from(data, 'hex').join('.') : data;
}
