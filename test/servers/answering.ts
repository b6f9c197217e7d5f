import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface Answering {
  readonly port: number;
  /** Questions that came. */
  readonly count: () => number;
  /** May be called again. */
  close(): void;
}

/** A server on a free UDP port of 127.0.0.1 that answers every question with the address 192.0.2.N, for 60 s. */
export async function answering(lastOctet: number): Promise<Answering> {
  const socket = createSocket('udp4');
  let count = 0;
  socket.on('message', (query, peer) => {
    count++;
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const header = Buffer.from([query[0]!, query[1]!, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, lastOctet]);
    socket.send(Buffer.concat([header, question, record]), peer.port, peer.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  let isOpen = true;
  const close = (): void => {
    if (isOpen) socket.close();
    isOpen = false;
  };
  return { port, count: () => count, close };
}
