import { type Busy, describeGoal, judge, type Measure, median, OURS, ratio, spread } from './measure.ts';

const HEAD = ['figure', 'server', 'median', 'spread', 'signpost : it', 'busy', 'goal (floor)'];
/** Above it, in per cent, a core has nothing left to give. */
const FULL = 95;
/** So much of a server's core is used by somebody else, where the run was not left alone. */
const DISTURBED = 10;

/** All measures as one Markdown table: a line for ours with the goals, then one for each peer. */
export function markdownTable(measures: readonly Measure[]): string {
  const rows = [HEAD, HEAD.map(() => '---'), ...measures.flatMap(measureRows)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => line(row, widths)).join('\n');
}

function measureRows(measure: Measure): string[][] {
  const goals = measure.goals.map((goal) => `${describeGoal(measure.unit, goal)}: ${judge(measure, goal)}`);
  return Object.entries(measure.samples).map(([server, samples], index) => [
    index === 0 ? `${measure.name} (${measure.unit})` : '',
    server,
    shortNumber(median(samples)),
    samples.length > 1 ? `${(spread(samples) * 100).toFixed(0)}%` : '',
    server === OURS ? '' : shortNumber(ratio(measure, server) ?? Number.NaN),
    describeBusy(measure.busy?.[server]),
    index === 0 ? goals.join('; ') : '',
  ]);
}

/** The server first. Where another core is full and it is not, or somebody else ran on its core, the figure says less about the server. */
function describeBusy(busy: Busy | undefined): string {
  if (busy === undefined) return '';
  const server = median(busy.server);
  const other = median(busy.otherCore);
  const text = `${server.toFixed(0)}%, other ${other.toFixed(0)}%`;
  if (median(busy.serverCore) > server + DISTURBED) return `${text}: disturbed`;
  return server < FULL && other >= FULL ? `${text}: the other is the limit` : text;
}

/** Three significant digits and thousands apart, for no figure here is known better than that. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return '';
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 20 });
}

function line(row: readonly string[], widths: readonly number[]): string {
  const fill = (text: string, column: number) =>
    text === '---' ? '-'.repeat(widths[column]!) : text.padEnd(widths[column]!);
  return `| ${row.map(fill).join(' | ')} |`;
}
