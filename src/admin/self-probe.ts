import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { SocketAddress } from '../config/config.ts';
import { SignpostError } from '../core/errors.ts';
import { SELF_QUESTION } from '../wire/self-question.ts';

/** One datagram may be lost while pods fill the buffer; three in a row mean more. */
const TRIES = 3;

/**
 * Asks the agent a question over UDP, as a pod does, through the kernel and its own socket. Resolves when any answer to it came; rejects
 * with ERR_NO_ANSWER after `timeLimitMs`, which should be below the second that kubelet waits.
 */
export function askItself({ host, port }: SocketAddress, timeLimitMs = 900): Promise<void> {
  const question = Buffer.from(SELF_QUESTION);
  question.writeUInt16BE(randomInt(65_536), 0);
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  return new Promise<void>((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new SignpostError('ERR_NO_ANSWER', `The agent does not answer on ${host} port ${port}: ${why}`));
    const timer = setTimeout(() => fail(`silent for ${timeLimitMs} ms`), timeLimitMs);
    const send = (): void => socket.send(question);
    const again = setInterval(send, timeLimitMs / TRIES);
    socket.on('error', (error) => fail(error.message));
    socket.on('message', (reply) => {
      if (reply.length >= 12 && reply.readUInt16BE(0) === question.readUInt16BE(0) && reply[2]! >= 0x80) resolve();
    });
    socket.on('close', () => {
      clearTimeout(timer);
      clearInterval(again);
    });
    socket.connect(port, host, send);
  }).finally(() => socket.close());
}
