import type { Level } from '../doctor/diagnosis.ts';
import type { Examination } from '../doctor/examination.ts';

/** What stands before a finding; errors are to be found at a glance. */
const MARKS: Readonly<Record<Level, string>> = { ok: 'ok', note: 'note', warning: 'WARNING', error: 'ERROR' };

const CHECK_WIDTH = 15;
const MARK_WIDTH = 9;

/** The findings for a person at a terminal, each with its remedy below it. */
export function examinationText({ checks, counts }: Examination): string {
  const lines = checks.flatMap(({ check, findings }) =>
    findings.flatMap(({ level, message, remedy }, at) => {
      const head = (at === 0 ? check : '').padEnd(CHECK_WIDTH) + MARKS[level].padEnd(MARK_WIDTH);
      const indent = ' '.repeat(CHECK_WIDTH + MARK_WIDTH);
      return [
        head + message.replaceAll('\n', `\n${indent}`),
        ...(remedy === undefined ? [] : [`${indent}-> ${remedy.replaceAll('\n', `\n${indent}   `)}`]),
      ];
    }),
  );
  const { error, warning, note, ok } = counts;
  const totals = `${counted(error, 'error')}, ${counted(warning, 'warning')}, ${counted(note, 'note')}, ${ok} in order`;
  return `${lines.join('\n')}\n\n${totals}\n`;
}

function counted(count: number, noun: string): string {
  return `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`;
}
