import * as http2 from '../../src/wire/http2.ts';

const hex = (digits: string): Uint8Array => Buffer.from(digits.replaceAll(' ', ''), 'hex');

/** Header blocks of one connection each, every block behind its length: what RFC 7541 shows in appendix C.6, and what servers send. */
const CONNECTIONS: readonly (readonly string[])[] = [
  [
    '3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
    '4883 640e ffc1 c0bf',
    '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
  ],
  [
    '20 3fe11f 88 5f17 6170706c69636174696f6e2f646e732d6d657373616765 5c03 313034 0f0d 02 3433',
    '88 be bf c0 4003 616765 0131 00 06 5f6c6f6e6765 03 616263',
    '48 03 353033 75 02 3330 be 08 03 323030',
  ],
  ['88', '8d', '20 88'],
];

/** Of its own: a `slice` of a Buffer would share its bytes with the mutants. */
const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

export const blockSeeds: readonly Uint8Array[] = CONNECTIONS.map((blocks) =>
  joined(blocks.flatMap((digits) => [Uint8Array.of(hex(digits).length), hex(digits)])),
);

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(http2.FRAME_HEAD);
  http2.writeFrameHead(head, 0, payload.length, type, flags, stream);
  return Buffer.concat([head, payload]);
}

const head = hex('88 5f17 6170706c69636174696f6e2f646e732d6d657373616765');
const body = new Uint8Array(45).fill(7);
const END = http2.FLAG_END_STREAM;
const HEADERS_END = http2.FLAG_END_HEADERS;

/** What a server sends: an answer, one in pieces with padding and trailers, and the frames that steer a connection. */
export const frameSeeds: readonly Uint8Array[] = [
  [frame(http2.FRAME_HEADERS, HEADERS_END, 1, head), frame(http2.FRAME_DATA, END, 1, body)],
  [
    frame(http2.FRAME_HEADERS, http2.FLAG_PADDED | http2.FLAG_PRIORITY, 3, hex(`02 0000000010 88 0000`)),
    frame(http2.FRAME_CONTINUATION, 0, 3, hex('')),
    frame(http2.FRAME_CONTINUATION, HEADERS_END, 3, head.subarray(1)),
    frame(http2.FRAME_DATA, http2.FLAG_PADDED, 3, hex('03 616263 000000')),
    frame(http2.FRAME_DATA, 0, 3, body),
    frame(http2.FRAME_HEADERS, HEADERS_END | END, 3, hex('00 0161 0162')),
  ],
  [
    frame(http2.FRAME_SETTINGS, 0, 0, hex('0003 00000064 0004 00010000')),
    frame(http2.FRAME_PING, 0, 0, hex('0102030405060708')),
    frame(http2.FRAME_WINDOW_UPDATE, 0, 0, hex('00010000')),
    frame(http2.FRAME_WINDOW_UPDATE, 0, 5, hex('00000040')),
    frame(http2.FRAME_RST_STREAM, 0, 5, hex('00000007')),
    frame(http2.FRAME_SETTINGS, http2.FLAG_ACK, 0, hex('')),
    frame(0xfa, 0, 0, hex('00')),
    frame(http2.FRAME_GOAWAY, 0, 0, hex('00000003 00000000')),
  ],
].map(joined);
