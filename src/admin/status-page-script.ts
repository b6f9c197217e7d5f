/**
 * The script of the status page: asks `/api/v1/status` every 2 s and shows it. Rates are over the last 10 s. All text goes in as text,
 * never as markup. Plain JavaScript without template literals, for it stands in one.
 */
export const STATUS_SCRIPT = `
'use strict';
const PERIOD_MS = 2000, WINDOW = 5, CHART = 120;
const samples = [], rates = [];
const find = (id) => document.getElementById(id);

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}
function row(cells) {
  const tr = make('tr');
  for (const cell of cells) tr.append(cell);
  return tr;
}
const head = (names, numbersFrom) => row(names.map((name, i) => make('th', name, i >= numbersFrom ? 'number' : '')));

function number(value) {
  if (value === null) return '–';
  if (value >= 1e6) return (value / 1e6).toFixed(value >= 1e7 ? 1 : 2) + ' M';
  if (value >= 1e4) return (value / 1e3).toFixed(value >= 1e5 ? 0 : 1) + ' k';
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}
const percent = (share) => (share === null ? '–' : share === 0 || share === 1 ? 100 * share + ' %' : (100 * share).toFixed(share > 0.995 || share < 0.005 ? 2 : 1) + ' %');
function time(ms) {
  if (ms === null) return '–';
  if (ms === Infinity) return '> 8 s';
  return ms < 1 ? (ms * 1000).toFixed(0) + ' µs' : ms < 1000 ? (ms < 10 ? ms.toFixed(1) : ms.toFixed(0)) + ' ms' : (ms / 1000).toFixed(1) + ' s';
}
const atMost = (ms) => (ms === null || ms === Infinity ? '' : '≤ ') + time(ms);
function bytes(value) {
  return value < 1048576 ? (value / 1024).toFixed(0) + ' KiB' : (value / 1048576).toFixed(1) + ' MiB';
}
function span(seconds) {
  const m = Math.floor(seconds / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
  return d ? d + ' d ' + (h % 24) + ' h' : h ? h + ' h ' + (m % 60) + ' min' : m ? m + ' min' : Math.floor(seconds) + ' s';
}
const sum = (values) => values.reduce((a, b) => a + b, 0);

/* The smallest bound that a share of the answers stayed below: histograms know no more. */
function quantile(counts, bounds, share) {
  const total = sum(counts);
  if (!total) return null;
  let seen = 0;
  for (let i = 0; i < counts.length; i++) {
    seen += counts[i];
    if (seen >= share * total) return i < bounds.length ? bounds[i] * 1000 : Infinity;
  }
  return Infinity;
}

/* What happened between two samples. */
function between(old, now) {
  const seconds = (now.atMs - old.atMs) / 1000, a = old.status.traffic, b = now.status.traffic;
  const source = (name) => b.responsesBySource[name] - a.responsesBySource[name];
  const answered = source('cache') + source('forward') + source('signpost');
  const failed = (b.responsesByRcode.SERVFAIL || 0) - (a.responsesByRcode.SERVFAIL || 0);
  const durations = b.durations.counts.map((count, i) => count - a.durations.counts[i]);
  const asked = source('cache') + source('forward');
  return {
    seconds, failed, durations, answered,
    perSecond: (b.requests - a.requests) / seconds,
    hitShare: asked > 0 ? source('cache') / asked : null,
    stale: now.status.cache.stale - old.status.cache.stale,
  };
}

const failureLevel = (recent) => (recent.failed === 0 ? '' : recent.failed > recent.answered / 50 ? 'bad' : 'warn');

function findings(status, recent, old) {
  const found = [];
  for (const reason of status.reasons) if (!reason.ok) found.push(['bad', 'Not ready: ' + reason.name + '. ' + reason.message]);
  for (const reason of status.reasons) if (reason.warning) found.push(['warn', reason.name + ': ' + reason.message]);
  for (const zone of status.zones) {
    const down = zone.upstreams.filter((upstream) => upstream.state === 'down' || upstream.state === 'looped');
    if (!down.length) continue;
    const names = down.map((upstream) => upstream.address).join(', ');
    if (down.length === zone.upstreams.length) found.push(['bad', 'Zone ' + zone.zone + ' has no upstream that answers (' + names + '). What is cached is still served, also past its end.']);
    else found.push(['warn', 'Zone ' + zone.zone + ': ' + down.length + ' of ' + zone.upstreams.length + ' upstreams down (' + names + '). The others answer.']);
  }
  if (recent && recent.failed > 0) found.push([failureLevel(recent), number(recent.failed) + ' of ' + number(recent.answered) + ' answers in the last ' + Math.round(recent.seconds) + ' s were SERVFAIL.']);
  if (recent && recent.stale > 0) found.push(['warn', number(recent.stale) + ' answers in the last ' + Math.round(recent.seconds) + ' s were expired ones, for no fresh one came in time.']);
  if (old) for (const limit of status.limits) {
    const before = old.status.limits.find((other) => other.name === limit.name);
    if (before && limit.hits > before.hits) found.push(['warn', 'The limit ' + limit.name + ' (' + limit.value + ') was hit ' + number(limit.hits - before.hits) + ' times just now.']);
  }
  return found;
}

function show(status) {
  samples.push({ atMs: performance.now(), status });
  if (samples.length > WINDOW + 1) samples.shift();
  const now = samples[samples.length - 1], old = samples.length > 1 ? samples[0] : null;
  const recent = old && between(old, now);
  if (samples.length > 1) rates.push(between(samples[samples.length - 2], now).perSecond);
  if (rates.length > CHART) rates.shift();

  document.title = (status.ready ? '' : '✗ ') + 'Signpost' + (status.node ? ' · ' + status.node : '');
  find('where').textContent = (status.node ? status.node + ' · ' : '') + status.listen.join(', ') + ' · version ' + status.version + ' · up ' + span(status.uptimeSeconds);
  state(status.ready ? 'Ready' : 'Not ready', status.ready ? 'good' : 'bad');
  const found = findings(status, recent, old);
  if (!found.length) found.push(['good', 'Nothing is wrong that this agent knows of.']);
  find('findings').replaceChildren(...found.map(([level, text]) => make('li', text, level)));
  showTiles(status, recent);
  showChart();
  showUpstreams(status, old, recent);
  showTotals(status);
}

function state(text, level) {
  find('state').textContent = text;
  find('state').className = level;
}

function showTiles(status, recent) {
  const bounds = status.traffic.durations.boundsSeconds;
  const at = (share) => (recent ? quantile(recent.durations, bounds, share) : null);
  const p99 = at(0.99);
  const tiles = [
    ['queries a second', recent ? number(recent.perSecond) : '–'],
    ['from the cache', recent ? percent(recent.hitShare) : '–'],
    ['median time to answer', atMost(at(0.5))],
    ['99th percentile', atMost(p99), p99 > 1000 ? 'warn' : ''],
    ['SERVFAIL', recent ? percent(recent.answered ? recent.failed / recent.answered : null) : '–', recent ? failureLevel(recent) : ''],
    ['memory', bytes(status.residentBytes)],
  ];
  find('tiles').replaceChildren(...tiles.map(([label, value, level]) => {
    const tile = make('div');
    tile.append(make('b', value, level), make('span', label));
    return tile;
  }));
}

function showChart() {
  const top = Math.max(1, ...rates), x = (i) => 600 - (rates.length - 1 - i) * (600 / (CHART - 1)), y = (rate) => 86 - 80 * (rate / top);
  const line = rates.map((rate, i) => (i ? 'L' : 'M') + x(i).toFixed(1) + ' ' + y(rate).toFixed(1)).join('');
  const path = (d, className) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    element.setAttribute('d', d);
    if (className) element.setAttribute('class', className);
    return element;
  };
  find('chart').replaceChildren(...(rates.length < 2 ? [] : [path(line + 'L600 90L' + x(0).toFixed(1) + ' 90Z', 'fill'), path(line)]));
  find('top').textContent = rates.length < 2 ? 'from now on' : 'last ' + span(rates.length * PERIOD_MS / 1000) + ', at most ' + number(top);
}

function showUpstreams(status, old, recent) {
  const rows = [head(['zone', 'queries/s', 'upstream', 'state', 'round trip', '95 in 100', 'in flight', 'connections', 'failed tries', 'last error'], 4)];
  const states = {
    up: ['● up', 'good'], slow: ['◐ slow', 'warn'], doubtful: ['◐ doubtful', 'warn'], down: ['▲ down', 'bad'],
    looped: ['▲ leads back here', 'bad'], untried: ['○ not asked yet', 'dim'],
  };
  for (const zone of status.zones) {
    const before = old && old.status.zones.find((other) => other.zone === zone.zone);
    zone.upstreams.forEach((upstream, i) => {
      const [text, level] = states[upstream.state];
      rows.push(row([
        make('td', i ? '' : zone.zone, 'name'),
        make('td', i || !before ? '' : number((zone.requests - before.requests) / recent.seconds)),
        make('td', upstream.address, 'name'), make('td', text, level),
        make('td', time(upstream.roundTripMs), 'number'), make('td', time(upstream.p95Ms), 'number'), make('td', number(upstream.inFlight), 'number'),
        make('td', number(upstream.connections), 'number'), make('td', number(upstream.failures), 'number' + (upstream.failures ? '' : ' dim')),
        make('td', upstream.lastError ? upstream.lastError.reason + ', ' + new Date(upstream.lastError.time).toLocaleTimeString() : '', 'number dim'),
      ]));
    });
  }
  find('upstreams').replaceChildren(...rows);
}

function showTotals(status) {
  const traffic = status.traffic, total = sum(Object.values(traffic.responsesBySource));
  const line = (name, count) => row([make('td', name, 'name'), make('td', number(count), 'number'), make('td', percent(total ? count / total : null), 'number dim')]);
  const sources = { cache: 'from the cache', forward: 'from upstreams', signpost: 'by the agent itself' };
  const rcodes = Object.entries(traffic.responsesByRcode).sort((a, b) => b[1] - a[1]);
  find('answers').replaceChildren(
    ...Object.entries(traffic.responsesBySource).map(([name, count]) => line(sources[name] || name, count)),
    ...rcodes.map(([name, count]) => line(name, count)),
  );

  const cache = status.cache, asked = cache.hits + cache.misses;
  const share = Math.min(1, cache.bytes / cache.budgetBytes);
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 100 10');
  svg.setAttribute('preserveAspectRatio', 'none');
  const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  rect.setAttribute('width', String(100 * share));
  rect.setAttribute('height', '10');
  svg.append(rect);
  const bar = make('div', undefined, 'bar');
  bar.append(svg);
  const table = make('table');
  table.append(
    row([make('td', 'answers kept'), make('td', number(cache.entries), 'number')]),
    row([make('td', 'found, of those looked for'), make('td', percent(asked ? cache.hits / asked : null), 'number')]),
    row([make('td', 'given past their end'), make('td', number(cache.stale), 'number')]),
  );
  find('cache').replaceChildren(make('div', bytes(cache.bytes) + ' of ' + bytes(cache.budgetBytes)), bar, table);

  const hit = status.limits.filter((limit) => limit.hits > 0).sort((a, b) => b.hits - a.hits);
  find('limits').replaceChildren(
    ...hit.map((limit) => row([make('td', limit.name + ' (' + limit.value + ')', 'name'), make('td', 'hit ' + number(limit.hits) + ' ×', 'number warn')])),
    row([make('td', (hit.length ? 'The other ' : 'All ') + (status.limits.length - hit.length) + ' limits were never hit.', 'dim')]),
  );
  find('reasons').replaceChildren(...status.reasons.map((reason) => row([
    make('td', reason.warning ? '!' : reason.ok ? '✓' : '✗', reason.warning ? 'warn' : reason.ok ? 'good' : 'bad'), make('td', reason.name), make('td', reason.message, 'dim'),
  ])));
}

async function refresh() {
  try {
    const response = await fetch('api/v1/status', { signal: AbortSignal.timeout(5000) });
    const status = await response.json();
    if (!response.ok) throw new Error(status.message);
    document.body.classList.remove('lost');
    show(status);
  } catch (error) {
    document.body.classList.add('lost');
    document.title = '✗ Signpost';
    state('No answer', 'bad');
    find('findings').replaceChildren(make('li', 'The agent does not answer this page (' + error.message + '). Below is what it said last. If it ended, look at its log: kubectl logs --previous.', 'bad'));
    samples.length = 0;
  }
  setTimeout(refresh, PERIOD_MS);
}
refresh();
`;
