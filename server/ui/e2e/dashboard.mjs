// End-to-end test of the dashboard: node e2e/dashboard.mjs ADDRESS [--screenshot FILE.png]
// [--forbid-fallback]. CHROMIUM names the browser (default /usr/bin/chromium).
//
// 1. Every panel has drawn each of its lines, and each line's last value is what the API answers
//    for the same query at the same time.
// 2. The page is accessible as far as axe can tell, in the light and the dark scheme.
// 3. With answers taken away or replaced on their way: errors, empty results, 0/0 and a server
//    that cannot be reached are said in words, and the page recovers by itself.
//
// Prints one line for each panel and check; the exit code is 1 if anything failed.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { readPage } from './reading.mjs';

const BROWSER_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const PANELS = 8;
/** How long the page may take to show what the test waits for. */
const PATIENCE_MS = 60_000;
/** Answers are compared only if asked this long after their last instant: the data is then in. */
const SETTLED_SECONDS = 2;
/** The order of a sum's addends may differ between two evaluations. */
const TOLERANCE = 1e-12;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { screenshot: { type: 'string' }, 'forbid-fallback': { type: 'boolean' } },
});
if (positionals.length !== 1) {
  console.error(
    'usage: node e2e/dashboard.mjs ADDRESS [--screenshot FILE.png] [--forbid-fallback]',
  );
  process.exit(2);
}
const address = new URL(positionals[0]);

let failures = 0;
function report(good, name, words) {
  if (!good) failures++;
  console.log(`${good ? 'ok  ' : 'FAIL'} ${name.padEnd(14)} ${words}`);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: BROWSER_ARGS,
});
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(address.href);
  if (await isDashboard(page)) {
    await checkPanels(page);
    if (flags.screenshot) await page.screenshot({ path: flags.screenshot, fullPage: true });
    await checkAccessibility(page);
    report(complaints.length === 0, 'console', complaints.join('; ') || 'no errors');
    await checkBadNews(page);
  }
} finally {
  await browser.close();
}
process.exit(failures === 0 ? 0 : 1);

async function isDashboard(page) {
  const kind = await page.evaluate(
    () => document.querySelector('meta[name=inferometer-page]')?.content ?? 'unknown',
  );
  if (kind === 'dashboard') return true;
  if (kind === 'fallback' && !flags['forbid-fallback']) {
    console.log('skipped: the server was built without its page');
  } else {
    report(false, 'page', `this is not the dashboard, but: ${kind}`);
  }
  return false;
}

async function checkPanels(page) {
  const { panels, instants } = await settledPage(page);
  report(panels.length === PANELS, 'panels', `${panels.length} of ${PANELS}`);
  for (const panel of panels) {
    const faults = panel.verdict === null ? [] : [panel.verdict];
    for (const row of panel.rows) {
      faults.push(
        ...(await faultsOf(row, panel.width / instants)).map((fault) => `${row.name}: ${fault}`),
      );
    }
    if (panel.rows.length === 0) faults.push('no rows');
    const values = panel.rows.map((row) => `${row.name} ${row.shown} (${row.lastValue})`);
    report(faults.length === 0, panel.id, [...faults, values.join(', ')].join('; '));
  }
}

/** Waits until all panels have something to say and it can no longer change. */
async function settledPage(page) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const reading = await page.evaluate(readPage);
    const rows = reading.panels.flatMap((panel) => panel.rows);
    const newest = Math.max(...rows.map((row) => Number(row.lastTime ?? Number.NaN)));
    if (rows.length > 0 && reading.askedAt - newest >= SETTLED_SECONDS) return reading;
    if (Date.now() > deadline) return reading;
    await page.waitForTimeout(250);
  }
}

/** What is wrong with a row; an instant of the grid is `width` pixels wide. */
async function faultsOf(row, width) {
  if (row.lastTime === undefined) return [`no value (${row.shown})`];
  const faults = [];
  // A fifth of what the line could cover: others may run over it.
  const wanted = Math.max(2, row.points * width * 0.2);
  if (row.columns < wanted) {
    faults.push(`no drawn line: ${row.columns} columns of its colour, ${wanted.toFixed()} wanted`);
  }
  const answer = await instant(row.query, row.lastTime);
  if (!sameValue(row.lastValue, answer)) {
    faults.push(`shows ${row.lastValue}, the API answers ${answer} at ${row.lastTime}`);
  }
  return faults;
}

async function instant(query, time) {
  const url = new URL('api/v1/query', address);
  url.search = new URLSearchParams({ query, time });
  const answer = await (await fetch(url)).json();
  return answer.data?.result?.[0]?.value?.[1] ?? JSON.stringify(answer);
}

function sameValue(shown, answered) {
  if (shown === answered) return true;
  const [a, b] = [Number(shown), Number(answered)];
  return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
}

async function checkAccessibility(page) {
  // Evaluated, not loaded by a script tag: the page's content security policy stays in force.
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
    const words = violations.map(
      ({ id, help, nodes }) => `${id}: ${help} (${nodes[0].target}, ${nodes.length} in all)`,
    );
    report(
      violations.length === 0,
      `axe ${colorScheme}`,
      words.join('; ') || `${passes.length} rules pass`,
    );
  }
}

/** Replaces answers on their way to the page and waits for the words that must appear. */
async function checkBadNews(page) {
  const answer = (body, status = 200) => ({
    status,
    contentType: 'application/json',
    body: JSON.stringify(body),
  });
  const matrix = (result) => answer({ status: 'success', data: { resultType: 'matrix', result } });
  const end = (route) => Number(new URL(route.request().url()).searchParams.get('end'));
  const error = { status: 'error', errorType: 'execution', error: 'too many samples' };
  const rows = [
    ['error', (route) => route.fulfill(answer(error, 422)), '#ttft .verdict', 'too many samples'],
    ['no data', (route) => route.fulfill(matrix([])), '#ttft .verdict', 'No data'],
    [
      'no traffic',
      (route) => route.fulfill(matrix([{ metric: {}, values: [[end(route), 'NaN']] }])),
      '#prefix-cache .gauge',
      'no traffic',
    ],
    ['unreachable', (route) => route.abort(), '[role=alert]', 'Cannot reach the server'],
  ];
  for (const [name, handle, selector, words] of rows) {
    const path = name === 'unreachable' ? '**/api/**' : '**/api/v1/query_range?**';
    await page.route(path, handle);
    await reportWait(name, page.locator(selector, { hasText: words }).waitFor(patience()), words);
    await page.unroute(path);
  }
  const gone = page
    .locator('[role=alert], .verdict')
    .first()
    .waitFor({ ...patience(), state: 'detached' });
  await reportWait('recovery', gone, 'the panels are back');
}

function patience() {
  return { timeout: PATIENCE_MS };
}

async function reportWait(name, waiting, words) {
  const failed = await waiting.then(
    () => null,
    (error) => error.message.split('\n')[0],
  );
  report(failed === null, name, failed ?? `says "${words}"`);
}
