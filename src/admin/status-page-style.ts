/** The style of the status page. Colours carry meaning only: green works, amber deserves a look, red hurts pods. */
export const STATUS_STYLE = `
:root {
  color-scheme: light dark;
  --back: #f6f7f5; --card: #fff; --text: #1c2421; --dim: #5f6b66; --line: #dfe4e1;
  --good: #2f7d5b; --warn: #a86400; --bad: #c0322b; --accent: #2f7d5b; --fill: #2f7d5b22;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #121614; --card: #1a201d; --text: #e3e9e6; --dim: #94a19b; --line: #2c3531;
    --good: #5cc795; --warn: #e5a84a; --bad: #ff7b72; --accent: #5cc795; --fill: #5cc79522;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 16px; padding-top: 18px; padding-bottom: 14px; }
h1 { margin: 0; font-size: 20px; display: flex; align-items: center; gap: 8px; }
h1 svg { width: 20px; fill: var(--accent); }
h2 { margin: 0 0 8px; font-size: 13px; font-weight: 600; color: var(--dim); }
small { font-weight: 400; }
#where { margin: 0; color: var(--dim); flex: 1; min-width: 220px; overflow-wrap: anywhere; }
#state { padding: 4px 14px; border-radius: 99px; background: var(--dim); color: var(--card); white-space: nowrap; }
#state.good { background: var(--good); }
#state.bad { background: var(--bad); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; margin-bottom: 14px; min-width: 0; }
#findings { list-style: none; margin: 0; padding: 0; }
#findings li { border: 1px solid var(--line); border-left: 5px solid var(--warn); border-radius: 8px; background: var(--card); padding: 9px 14px; margin-bottom: 8px; overflow-wrap: anywhere; }
#findings li.bad { border-left-color: var(--bad); }
#findings li.good { border-left-color: var(--good); }
#findings li:last-child { margin-bottom: 14px; }
#tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(145px, 1fr)); gap: 14px 18px; }
#tiles b { display: block; font-size: 25px; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
#tiles span { color: var(--dim); font-size: 13px; }
#chart { display: block; width: 100%; height: 90px; }
#chart path { vector-effect: non-scaling-stroke; fill: none; stroke: var(--accent); stroke-width: 1.8; }
#chart path.fill { fill: var(--fill); stroke: none; }
.wide { overflow-x: auto; }
.wide table { min-width: 780px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--dim); font-size: 13px; }
th, td { padding: 5px 16px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.name { overflow-wrap: anywhere; }
td.good { color: var(--good); }
td.warn, b.warn { color: var(--warn); }
td.bad, b.bad { color: var(--bad); }
td.dim { color: var(--dim); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(430px, 1fr)); gap: 0 14px; }
.bar { height: 10px; border-radius: 5px; background: var(--line); overflow: hidden; margin: 4px 0 8px; }
.bar svg { display: block; width: 100%; height: 10px; }
.bar rect { fill: var(--accent); }
body.lost section { opacity: .45; }
footer { color: var(--dim); padding-bottom: 26px; display: flex; gap: 18px; font-size: 13px; }
a { color: inherit; }
@media (max-width: 480px) { header, main, footer { padding-left: 12px; padding-right: 12px; } .columns { grid-template-columns: 1fr; } }
`;
