import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerJson, answerText } from '../../../src/cli/answer-text.ts';
import { decodeMessage, encodeMessage, type MessageRecord } from '../../../src/wire/codec.ts';
import { OPTION_EDE, OPTION_ORIGIN } from '../../../src/wire/constants.ts';

const opt = (options: { code: number; data: Buffer }[]): MessageRecord => ({
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1232,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: options as never[],
});

function told(additionals: MessageRecord[]) {
  const bytes = encodeMessage({
    id: 7,
    type: 'response',
    flags: 0x8180,
    questions: [{ name: 'web.example', type: 'A' }],
    answers: [{ type: 'A', name: 'web.example', ttl: 5, data: '192.0.2.1' }],
    additionals,
  });
  const answer = { bytes, elapsedMs: 0.34, transport: 'udp' as const };
  return { message: decodeMessage(bytes), answer, server: { host: '127.0.0.1', port: 5300 } };
}

const STALE = [
  { code: OPTION_EDE, data: Buffer.from('\0\x03upstream is silent') },
  { code: OPTION_ORIGIN, data: Buffer.from('stale') },
];

test('an answer is printed as dig does, with its origin', () => {
  const text = answerText(told([opt(STALE)]));
  assert.equal(
    text,
    `;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 7
;; flags: qr rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
; EDE: 3 (Stale Answer): (upstream is silent)

;; QUESTION SECTION:
;web.example.\t\tIN\tA

;; ANSWER SECTION:
web.example.\t5\tIN\tA\t192.0.2.1

;; Query time: 0.3 ms
;; SERVER: 127.0.0.1:5300 (UDP)
;; FROM: stale
;; MSG SIZE  rcvd: ${told([opt(STALE)]).answer.bytes.length}
`,
  );
});

test('a server that tells no origin is not taken for an agent', () => {
  assert.match(answerText(told([])), /;; FROM: unknown \(this server is not Signpost\)/);
});

test('scripts get the same as JSON', () => {
  assert.deepEqual(answerJson(told([opt(STALE)])), {
    rcode: 'NOERROR',
    id: 7,
    flags: ['qr', 'rd', 'ra'],
    questions: [{ name: 'web.example.', type: 'A', class: 'IN' }],
    answers: [{ name: 'web.example.', ttl: 5, class: 'IN', type: 'A', data: '192.0.2.1' }],
    authorities: [],
    additionals: [],
    extendedErrors: [{ code: 3, name: 'Stale Answer', text: 'upstream is silent' }],
    from: 'stale',
    server: '127.0.0.1:5300',
    transport: 'udp',
    queryTimeMs: 0.34,
    bytes: told([opt(STALE)]).answer.bytes.length,
  });
});

test('text from the network cannot move a terminal’s cursor', () => {
  const text = answerText(told([opt([{ code: OPTION_ORIGIN, data: Buffer.from('cache\u001b[2J') }])]));
  assert.match(text, /FROM: cache\?\[2J/);
});
