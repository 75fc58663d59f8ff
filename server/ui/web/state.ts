// The page's state and what changes it.
//
// `screen` is replaced as a whole when every answer of a refresh is there: the panels never show
// different instants. While the server cannot be reached the last screen stays.
import { signal } from '@preact/signals';
import { REFRESHES, readSettings, type Settings, writeSettings } from './address';
import { ApiError, modelNames, queryRange, type Series, serverNotice, Unreachable } from './api';
import { PANELS } from './panels';
import { queryFor } from './promql';
import { createRefresher } from './refresh';
import { type Grid, gridAt, rangeNamed } from './span';

/** What came of one query. */
export type Outcome =
  | { kind: 'series'; series: Series }
  | { kind: 'empty' }
  | { kind: 'error'; message: string };

/** The answers of one refresh. */
export interface Screen {
  grid: Grid;
  /** When it was asked, Unix seconds. */
  askedAt: number;
  /** With which settings it was asked. */
  settings: Settings;
  models: string[];
  notice: string | null;
  /** By query, as queryFor returns it. */
  outcomes: Map<string, Outcome>;
}

/** How long a refresh may take before the server counts as unreachable. */
const TIMEOUT_MS = 30_000;

export const settings = signal<Settings>(readSettings(location.search));
export const screen = signal<Screen | null>(null);
/** Why the last refresh brought nothing, `null` if it did. */
export const unreachable = signal<string | null>(null);
/** The instant under the pointer, in all panels at once. */
export const cursorTime = signal<number | null>(null);

async function outcomeOf(query: string, grid: Grid, abort: AbortSignal): Promise<Outcome> {
  try {
    const series = await queryRange(query, grid, abort);
    return series === null ? { kind: 'empty' } : { kind: 'series', series };
  } catch (error) {
    if (error instanceof ApiError) return { kind: 'error', message: error.message };
    throw error;
  }
}

async function loadScreen(settings: Settings, abort: AbortSignal): Promise<Screen> {
  const { model, range } = settings;
  const askedAt = Date.now() / 1000;
  const grid = gridAt(rangeNamed(range), askedAt);
  const queries = PANELS.flatMap((panel) => panel.lines.map((line) => queryFor(line.expr, model)));
  const [models, notice, ...answers] = await Promise.all([
    modelNames(grid, abort).catch(keepModels),
    serverNotice(abort),
    ...queries.map((query) => outcomeOf(query, grid, abort)),
  ]);
  const outcomes = new Map(queries.map((query, i) => [query, answers[i] as Outcome]));
  return { grid, askedAt, settings, models, notice, outcomes };
}

/** The panels say what is wrong; the selector keeps what it had. */
function keepModels(error: unknown): string[] {
  if (error instanceof ApiError) return screen.value?.models ?? [];
  throw error;
}

/** One refresh; false if the server could not be reached. */
async function run(abort: AbortSignal): Promise<boolean> {
  // If one request finds nobody there, the others need not wait for the same.
  const rest = new AbortController();
  const all = AbortSignal.any([abort, rest.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    screen.value = await loadScreen(settings.value, all);
    unreachable.value = null;
    return true;
  } catch (error) {
    if (abort.aborted) throw error;
    if (!(error instanceof Unreachable)) console.error(error);
    unreachable.value = error instanceof Error ? error.message : String(error);
    return false;
  } finally {
    rest.abort();
  }
}

const refresher = createRefresher({
  run,
  intervalMs: () => REFRESHES[settings.value.refresh] ?? null,
  hidden: () => document.hidden,
});

/** Asks again, at once. */
export const refreshNow = refresher.now;

/** Changes settings, writes them into the address and asks again. */
export function change(part: Partial<Settings>): void {
  settings.value = { ...settings.value, ...part };
  const search = writeSettings(settings.value, location.search);
  history.replaceState(null, '', location.pathname + search + location.hash);
  refresher.now();
}

/** Begins refreshing. */
export function start(): void {
  document.addEventListener('visibilitychange', refresher.visibilityChanged);
  window.addEventListener('popstate', () => {
    settings.value = readSettings(location.search);
    refresher.now();
  });
  refresher.now();
}
