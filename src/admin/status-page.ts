import { createHash } from 'node:crypto';
import type { Answer, Page } from './page.ts';
import { STATUS_SCRIPT } from './status-page-script.ts';
import { STATUS_STYLE } from './status-page-style.ts';

/**
 * `/`: the agent at a glance, for whoever is woken at night. What is wrong stands first, in words. One page without anything from elsewhere:
 * it is read through a tunnel while the network is in doubt.
 */
export class StatusPage implements Page {
  readonly path = '/';
  readonly method = 'GET';

  answer(): Answer {
    return {
      status: 200,
      contentType: 'text/html; charset=utf-8',
      body: HTML,
      headers: { 'Content-Security-Policy': POLICY },
    };
  }
}

const ICON =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Cpath fill=%22%232f7d5b%22 d=%22M7 1h2v2h4l2 2-2 2H9v8H7V9H3L1 7l2-2h4z%22/%3E%3C/svg%3E';

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Signpost</title>
<link rel="icon" href="${ICON}">
<style>${STATUS_STYLE}</style>
</head>
<body>
<header>
  <h1><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M7 1h2v2h4l2 2-2 2H9v8H7V9H3L1 7l2-2h4z"/></svg>Signpost</h1>
  <p id="where"></p>
  <strong id="state" role="status">…</strong>
</header>
<main>
  <noscript>This page needs its script. The same as JSON: <a href="api/v1/status">/api/v1/status</a></noscript>
  <ul id="findings" aria-live="polite"></ul>
  <section id="tiles" aria-label="Traffic"></section>
  <section><h2 id="chart-title">Queries a second <small id="top"></small></h2><svg id="chart" viewBox="0 0 600 90" preserveAspectRatio="none" role="img" aria-labelledby="chart-title"></svg></section>
  <section><h2>Zones and their upstreams</h2><div class="wide"><table id="upstreams"></table></div></section>
  <div class="columns">
    <section><h2>Answers <small>since start</small></h2><table id="answers"></table></section>
    <section><h2>Cache</h2><div id="cache"></div></section>
    <section><h2>Limits</h2><table id="limits"></table></section>
    <section><h2>Ready when</h2><table id="reasons"></table></section>
  </div>
</main>
<footer><a href="metrics">metrics</a> <a href="api/v1/status">status as JSON</a> <a href="ready">ready</a> <a href="health">health</a></footer>
<script>${STATUS_SCRIPT}</script>
</body>
</html>
`;

const POLICY = [
  "default-src 'none'",
  `script-src '${hashOf(STATUS_SCRIPT)}'`,
  `style-src '${hashOf(STATUS_STYLE)}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
