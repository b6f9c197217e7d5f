import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SignpostError } from '../core/errors.ts';
import { TOOL_OUTPUT } from '../core/limits.ts';

/** System tools live in sbin, which is not on everyone's PATH. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** A tool that has not ended by then hangs: the kernel takes milliseconds, and a lock is waited for 5 s. */
const TIMEOUT_MS = 8000;

export interface ToolOutcome {
  /** Exit code; -1 where a signal or the time limit ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Takes what the tool says on stdout, which is not gathered then. Returns how many characters of it are held. */
  readonly onOutput?: (text: string) => number;
}

/** Where a system tool lies, or undefined. */
export function findTool(name: string): string | undefined {
  return FOLDERS.filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/**
 * Runs a system tool to its end, in English and bounded in time and output. Any exit code is an outcome. Rejects with `ERR_TOOL` where the tool is missing, cannot be
 * started, hangs (it is killed then) or says too much.
 */
export function runTool(name: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolOutcome> {
  const { input = '', timeoutMs = TIMEOUT_MS, onOutput } = options;
  const path = findTool(name);
  if (path === undefined) return Promise.reject(new SignpostError('ERR_TOOL', `Cannot run ${name}: not installed`));
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { env: toolEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    const fail = (why: string, cause?: unknown) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new SignpostError('ERR_TOOL', `Cannot run ${name} ${args.join(' ')}: ${why}`, { cause }));
    };
    const timer = setTimeout(() => fail(`it did not end within ${timeoutMs / 1000} s`), timeoutMs);
    child.once('error', (error) => fail(error.message, error));
    // Without a descriptor left there are no pipes either, and the error comes by itself.
    if (child.stdin === undefined) return;
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        const isTaken = stream === 'stdout' && onOutput !== undefined;
        if (!isTaken) texts[stream] += text;
        if ((isTaken ? onOutput(text) : texts[stream].length) <= TOOL_OUTPUT.value) return;
        TOOL_OUTPUT.hits++;
        fail(`it said more than ${TOOL_OUTPUT.value} characters`);
      });
    }
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, ...texts });
    });
    // A tool that ends without reading all of its input says why on stderr.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Messages of tools are read, so they are in English. */
export function toolEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C' };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
