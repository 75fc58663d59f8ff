// The Prometheus HTTP API, as far as the page needs it. Addresses are relative to the document,
// so that the page works under any path prefix.
import { parseSample } from './format';
import { type Grid, indexOf, instants } from './span';

/** Nobody answered, or something in between said that the server is not there. */
export class Unreachable extends Error {}

/** The server answered with an error; the message is its own. */
export class ApiError extends Error {}

/** A series on a grid: `null` where there is no sample or no number. */
export interface Series {
  values: (number | null)[];
  /** The newest sample: Unix seconds and the value exactly as the API wrote it. */
  last: { time: number; text: string };
}

interface Matrix {
  result: { metric: Record<string, string>; values: [number, string][] }[];
}

/** The status codes of a proxy in front of a server that is down, or of one that just starts. */
const NOT_THERE = new Set([502, 503, 504]);

/** Asks `path` and returns the `data` of the answer. */
async function ask<T>(
  path: string,
  params: Record<string, string>,
  signal: AbortSignal,
): Promise<T> {
  const url = new URL(`api/v1/${path}`, document.baseURI);
  url.search = new URLSearchParams(params).toString();
  const response = await fetch(url, { signal, cache: 'no-store' }).catch((error: unknown) => {
    throw asFailure(error, signal);
  });
  const text = await response.text().catch((error: unknown) => {
    throw asFailure(error, signal);
  });
  return readAnswer<T>(response.status, response.statusText, text);
}

/** Keeps an abort that was asked for; everything else means that no answer came. */
function asFailure(error: unknown, signal: AbortSignal): unknown {
  const aborted = signal.aborted && (signal.reason as Error | undefined)?.name === 'AbortError';
  return aborted ? error : new Unreachable(String(error));
}

/** Takes the API's envelope apart. */
export function readAnswer<T>(status: number, statusText: string, text: string): T {
  let answer: { status?: string; data?: T; errorType?: string; error?: string } | null;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = null;
  }
  if (answer?.status === 'success') return answer.data as T;
  if (answer?.error !== undefined) throw new ApiError(`${answer.errorType}: ${answer.error}`);
  const words = `the server answered ${status} ${statusText}`.trim();
  throw NOT_THERE.has(status) ? new Unreachable(words) : new ApiError(words);
}

/** Asks a range query that returns at most one series; `null` if it returns none. */
export async function queryRange(
  query: string,
  grid: Grid,
  signal: AbortSignal,
): Promise<Series | null> {
  const { start, end, step } = grid;
  const params = { query, start: `${start}`, end: `${end}`, step: `${step}` };
  return readMatrix(await ask<Matrix>('query_range', params, signal), grid);
}

/** Lays the one series of a matrix onto the grid. */
export function readMatrix(matrix: Matrix, grid: Grid): Series | null {
  if (matrix.result.length > 1) {
    throw new ApiError(`one series expected, the query returned ${matrix.result.length}`);
  }
  const samples = matrix.result[0]?.values ?? [];
  const last = samples.at(-1);
  if (last === undefined) return null;
  const values: (number | null)[] = instants(grid).map(() => null);
  for (const [time, text] of samples) {
    const index = indexOf(grid, time);
    const value = parseSample(text);
    if (index >= 0 && Number.isFinite(value)) values[index] = value;
  }
  return { values, last: { time: last[0], text: last[1] } };
}

/** The models that served in the grid's time, sorted. */
export async function modelNames(grid: Grid, signal: AbortSignal): Promise<string[]> {
  const params = {
    'match[]': 'vllm:num_requests_running',
    start: `${grid.start}`,
    end: `${grid.end}`,
  };
  return (await ask<string[]>('label/model_name/values', params, signal)).sort();
}

/** What the server has to say about its data; `null` if nothing, or if it does not know how. */
export async function serverNotice(signal: AbortSignal): Promise<string | null> {
  try {
    return (await ask<{ notice: string | null }>('status/notice', {}, signal)).notice;
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
