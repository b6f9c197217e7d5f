/**
 * A program: asks `version.bind` at an even pace on each lane that its one argument (JSON) names, until SIGTERM. Every query has a socket of its own, as a look-up by libc has. Says on
 * its standard output, a JSON object a line, whenever another server answers than before, and in the end what became of all queries.
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { frame } from '../../client/ask.ts';
import { decodeMessage, encodeQuestion } from '../../client/message.ts';
import type { Lane, LaneReport } from './query-client.ts';

/** A query is given up after this, as glibc does with its first. */
const GIVE_UP_MS = 5000;
const CLASS_CHAOS = 3;

class PacedLane {
  readonly #lane: Lane;
  readonly #counts = { sent: 0, answered: 0, unanswered: 0, refused: 0, reset: 0 };
  readonly #errors: Record<string, number> = {};
  #answerer = '';
  #lastAnswerMs = now();
  #gap = { fromMs: 0, ms: 0 };
  readonly #timer: NodeJS.Timeout;

  constructor(lane: Lane) {
    this.#lane = lane;
    this.#timer = setInterval(() => this.#ask(), lane.intervalMs);
  }

  finish(): LaneReport {
    clearInterval(this.#timer);
    this.#measureGap();
    return {
      name: this.#lane.name,
      ...this.#counts,
      errors: this.#errors,
      gapMs: this.#gap.ms,
      gapFromMs: this.#gap.fromMs,
    };
  }

  #ask(): void {
    this.#counts.sent++;
    const id = this.#counts.sent & 0xffff;
    const query = encodeQuestion({ id, name: 'version.bind', type: 'TXT', class: CLASS_CHAOS });
    if (this.#lane.transport === 'udp') this.#askUdp(query);
    else this.#askTcp(query);
  }

  #askUdp(query: Buffer): void {
    const { host } = this.#lane;
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const end = this.#settling(() => socket.close());
    // Connected: the kernel lets in what comes from the address that was asked, and tells of refusals.
    socket.on('error', (error: NodeJS.ErrnoException) => end(() => this.#onError(error)));
    socket.on('message', (reply) => end(() => this.#onReply(reply)));
    socket.connect(53, host, () => socket.send(query));
  }

  #askTcp(query: Buffer): void {
    const socket = connect(53, this.#lane.host);
    const end = this.#settling(() => socket.destroy());
    let received = Buffer.alloc(0);
    let isOpen = false;
    socket.on('connect', () => {
      isOpen = true;
      socket.write(frame(query));
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length > 2 && received.length >= 2 + received.readUInt16BE(0))
        end(() => this.#onReply(received.subarray(2)));
    });
    // An open connection dies with the process that has it; one that is not let in was refused.
    const onLost = (error?: NodeJS.ErrnoException): void =>
      end(() => {
        // What is refused is not reset: then it was open, though nobody has told us yet.
        if (isOpen || error?.code === 'ECONNRESET') this.#counts.reset++;
        else this.#onError(error ?? new Error('closed'));
      });
    socket.on('error', onLost);
    socket.on('close', () => onLost());
  }

  /** Runs what comes first, once: an outcome that is handed in, or the end of patience. */
  #settling(close: () => void): (outcome: () => void) => void {
    let isSettled = false;
    const end = (outcome: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      outcome();
      close();
    };
    const timer = setTimeout(() => end(() => this.#counts.unanswered++), GIVE_UP_MS);
    return end;
  }

  #onReply(bytes: Buffer): void {
    const { answers } = decodeMessage(bytes);
    this.#counts.answered++;
    this.#measureGap();
    this.#lastAnswerMs = now();
    const answerer = textOf(answers[0]?.data ?? '');
    if (answerer === this.#answerer) return;
    this.#answerer = answerer;
    say({ lane: this.#lane.name, answerer, atMs: now() });
  }

  #onError(error: NodeJS.ErrnoException): void {
    this.#counts.refused++;
    const code = error.code ?? error.message;
    this.#errors[code] = (this.#errors[code] ?? 0) + 1;
  }

  #measureGap(): void {
    const ms = now() - this.#lastAnswerMs;
    if (ms > this.#gap.ms) this.#gap = { fromMs: this.#lastAnswerMs, ms };
  }
}

/** Comparable between processes, unlike `performance.now()`. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** The first string of a TXT record's data, which is in hexadecimal. */
function textOf(data: string): string {
  return Buffer.from(data, 'hex').subarray(1).toString('latin1');
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const lanes = (JSON.parse(process.argv[2]!) as Lane[]).map((lane) => new PacedLane(lane));
process.once('SIGTERM', () => {
  say({ reports: lanes.map((lane) => lane.finish()) });
  process.exit(0);
});
