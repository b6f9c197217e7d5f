import { readdirSync, readFileSync } from 'node:fs';
import type { Surroundings } from '../config/flags.ts';

/** This process's own: its environment, its terminal, its files. */
export function processSurroundings(): Surroundings {
  return {
    env: process.env,
    isTerminal: process.stdout.isTTY === true,
    readFile: (path) => readFileSync(path, 'utf8'),
    listFolder: (path) => readdirSync(path),
  };
}
