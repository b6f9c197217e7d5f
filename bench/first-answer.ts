import { createSocket } from 'node:dgram';

const QUERY_ID = 0x5157;
const TYPE_A = 1;
const RCODE_MASK = 0x0f;

/**
 * Asks for the A record of `name`, or each time of another one, every millisecond until a NOERROR answer with a record comes; returns when it came, in milliseconds
 * of `performance.now()`. Rejects after `timeoutMs`.
 */
export async function firstAnswer(port: number, name: string | (() => string), timeoutMs = 15_000): Promise<number> {
  const socket = createSocket('udp4');
  const nextName = typeof name === 'string' ? () => name : name;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<number>((resolve, reject) => {
      const deadline = performance.now() + timeoutMs;
      // Until the server listens, the kernel refuses what was sent: that is what is waited out.
      socket.on('error', () => {});
      socket.on('message', (reply) => {
        if (isGoodAnswer(reply)) resolve(performance.now());
      });
      socket.connect(port, '127.0.0.1', () => {
        timer = setInterval(() => {
          if (performance.now() > deadline)
            reject(new Error(`Cannot get an answer for ${nextName()} from port ${port} in ${timeoutMs} ms`));
          socket.send(writeQuery(nextName()));
        }, 1);
      });
    });
  } finally {
    clearInterval(timer);
    socket.close();
  }
}

function isGoodAnswer(reply: Buffer): boolean {
  return (
    reply.length > 12 &&
    reply.readUInt16BE(0) === QUERY_ID &&
    (reply[3]! & RCODE_MASK) === 0 &&
    reply.readUInt16BE(6) > 0
  );
}

function writeQuery(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')]));
  const header = Buffer.alloc(12);
  header.writeUInt16BE(QUERY_ID, 0);
  header[2] = 1;
  header[5] = 1;
  return Buffer.concat([header, ...labels, Buffer.of(0, 0, TYPE_A, 0, 1)]);
}
