import { isatty } from 'node:tty';
import { type DestinationStream, type LevelWithSilent, pino } from 'pino';
import type { Logger } from '../core/logger.ts';
import { LogOutput } from './log-output.ts';
import { logText } from './log-text.ts';

export type LogFormat = 'text' | 'json';

export interface LoggerOptions {
  readonly level: LevelWithSilent;
  /** Undefined: text on a terminal, else JSON. */
  readonly format?: LogFormat | undefined;
  /** 1: what `serve` says, for collectors take standard error for errors. 2: what a command says that prints its result on standard output. */
  readonly descriptor?: 1 | 2;
}

/** The level can be changed while it runs, as a reload does. */
export interface AgentLogger extends Logger {
  level: string;
}

/** The log of this process: a line for each entry, written before the call returns, or lost and counted where nobody reads the pipe. */
export function createLogger({ level, format, descriptor = 1 }: LoggerOptions): AgentLogger {
  const isText = (format ?? (isatty(descriptor) ? 'text' : 'json')) === 'text';
  return loggerTo(new LogOutput(descriptor), level, isText);
}

function loggerTo(output: LogOutput, level: LevelWithSilent, isText: boolean): AgentLogger {
  const destination: DestinationStream = { write: (line) => output.write(isText ? logText(line) : line) };
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    destination,
  );
  output.onLost = (lost) => logger.error({ lost }, 'Log lines were lost, for nobody read the pipe');
  return logger;
}
