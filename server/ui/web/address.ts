// What the address bar holds: model, range and refresh, under the names that Grafana uses, so
// that a link to its dashboard works here too (`?var-model=…&from=now-1h&refresh=5s`).
import { DEFAULT_RANGE, rangeNamed } from './span';

export interface Settings {
  /** The chosen model, `null` for all. */
  model: string | null;
  /** Name of the range, one of RANGES. */
  range: string;
  /** Name of the refresh interval, one of REFRESHES. */
  refresh: string;
}

/** The refresh intervals on offer, in milliseconds; `null` refreshes only when asked. */
export const REFRESHES: Record<string, number | null> = {
  '5s': 5000,
  '15s': 15_000,
  '1m': 60_000,
  off: null,
};

export const DEFAULT_REFRESH = '5s';

/** Reads a query string; what it does not hold or what is not on offer gets the default. */
export function readSettings(search: string): Settings {
  const params = new URLSearchParams(search);
  const model = params.get('var-model');
  const refresh = params.get('refresh') ?? DEFAULT_REFRESH;
  return {
    model: model === null || ['', 'All', '$__all'].includes(model) ? null : model,
    range: rangeNamed((params.get('from') ?? '').replace(/^now-/, '')).name,
    refresh: refresh === '' ? 'off' : Object.hasOwn(REFRESHES, refresh) ? refresh : DEFAULT_REFRESH,
  };
}

/** Writes settings into a query string, leaving defaults out and foreign parameters alone. */
export function writeSettings(settings: Settings, search: string): string {
  const params = new URLSearchParams(search);
  const put = (name: string, value: string | null) =>
    value === null ? params.delete(name) : params.set(name, value);
  put('var-model', settings.model);
  put('from', settings.range === DEFAULT_RANGE ? null : `now-${settings.range}`);
  put('refresh', settings.refresh === DEFAULT_REFRESH ? null : settings.refresh);
  return params.size === 0 ? '' : `?${params}`;
}
