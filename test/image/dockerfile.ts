import { readFileSync } from 'node:fs';

export interface Instruction {
  /** `RUN`, `COPY` … */
  readonly word: string;
  readonly text: string;
}

/** One `FROM` and what follows it. */
export interface Stage {
  readonly name: string | undefined;
  readonly base: string;
  readonly steps: readonly Instruction[];
}

/** Every instruction of a Dockerfile, in one line each, without comments. */
export function readInstructions(path: string): Instruction[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, word = '', text = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { word, text: text.replace(/\s+/g, ' ').trim() };
    });
}

/** The instructions by stage; none may come before the first `FROM`. */
export function readStages(path: string): Stage[] {
  const stages: { name: string | undefined; base: string; steps: Instruction[] }[] = [];
  for (const instruction of readInstructions(path)) {
    if (instruction.word !== 'FROM') {
      stages.at(-1)!.steps.push(instruction);
      continue;
    }
    const words = instruction.text.split(' ').filter((word) => !word.startsWith('--platform='));
    stages.push({ base: words[0]!, name: words[2], steps: [] });
  }
  return stages;
}
