import { fileURLToPath } from 'node:url';
import type { CheckReport, Examination } from '../../../src/doctor/examination.ts';
import type { Namespace } from '../namespace.ts';

const ENTRY = fileURLToPath(new URL('../../../bin/signpost.js', import.meta.url));

/** A command of signpost in a namespace, run to its end. */
export function signpost(within: Namespace, ...args: string[]) {
  return within.run(process.execPath, ENTRY, ...args);
}

export interface Doctored {
  readonly code: number | null;
  readonly examination: Examination;
  /** `error rules-missing` … of one check, or of all. */
  codes(check?: string): string[];
  /** Message and remedy of a finding; empty where there is none of that code. */
  said(code: string): string;
}

/** `signpost doctor --json` in a namespace. */
export async function doctor(within: Namespace, ...flags: string[]): Promise<Doctored> {
  const { code, stdout, stderr } = await signpost(within, 'doctor', '--json', ...flags);
  let examination: Examination;
  try {
    examination = JSON.parse(stdout) as Examination;
  } catch {
    throw new Error(`signpost doctor ended with ${code}: ${stdout}${stderr}`);
  }
  const of = (check?: string): readonly CheckReport[] =>
    examination.checks.filter((report) => check === undefined || report.check === check);
  return {
    code,
    examination,
    codes: (check) => of(check).flatMap(({ findings }) => findings.map((found) => `${found.level} ${found.code}`)),
    said: (wanted) =>
      of()
        .flatMap(({ findings }) => findings)
        .filter((found) => found.code === wanted)
        .map(({ message, remedy = '' }) => `${message} ${remedy}`)
        .join('\n'),
  };
}

/** All that a namespace's network holds; counters, dates, tables without rules, and what only time changes aside. */
export async function networkState(within: Namespace): Promise<string> {
  const script = [
    'ip -o address show | sed "s/ valid_lft .*//; s/[0-9]*sec//g"',
    'ip route show table all',
    'ip -6 route show table all',
    'nft -s list ruleset',
    'iptables-legacy-save; ip6tables-legacy-save',
    'ipset list -name',
    'ls /proc/net/xt_recent 2> /dev/null || true',
  ].join('\n');
  const { stdout } = await within.run('sh', '-c', script);
  return (
    stdout
      .replaceAll(/^#.*\n/gm, '')
      .replaceAll(/\[\d+:\d+\]/g, '')
      // What comes and goes by itself: the switch, and connections that are remembered for a while.
      .replaceAll(/(flags [\w,]*(?:timeout|dynamic).*\n(?:\t\t(?!elements).*\n)*)\t\telements = \{[^}]*\}\n/g, '$1')
      .replaceAll(/^\*\w+\n(?::[A-Z]+ ACCEPT .*\n)*COMMIT\n/gm, '')
      .replaceAll(/^table \S+ \S+ \{\n(?:\tchain [A-Z]+ \{\n\t\ttype .*\n\t\}\n\n?)*\}\n/gm, '')
  );
}
