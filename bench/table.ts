import { judge, type Measure, median, OURS, ratio, spread } from './measure.ts';

const HEAD = ['figure', 'server', 'median', 'spread', 'signpost : it', 'goal'];

/** All measures as one Markdown table: a line for ours with the goals, then one for each peer. */
export function markdownTable(measures: readonly Measure[]): string {
  const rows = [HEAD, HEAD.map(() => '---'), ...measures.flatMap(measureRows)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => line(row, widths)).join('\n');
}

function measureRows(measure: Measure): string[][] {
  const goals = measure.goals.map((goal) => {
    const { text, isMet } = judge(measure, goal);
    return `${text}: ${isMet === undefined ? 'not measured' : isMet ? 'met' : 'MISSED'}`;
  });
  return Object.entries(measure.samples).map(([server, samples], index) => [
    index === 0 ? `${measure.name} (${measure.unit})` : '',
    server,
    shortNumber(median(samples)),
    samples.length > 1 ? `${(spread(samples) * 100).toFixed(0)}%` : '',
    server === OURS ? '' : shortNumber(ratio(measure, server) ?? Number.NaN),
    index === 0 ? goals.join('; ') : '',
  ]);
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
