// The address bar: Grafana's parameter names, defaults left out, foreign ones kept.
import { expect, test } from 'vitest';
import { readSettings, type Settings, writeSettings } from './address';

const defaults: Settings = { model: null, range: '1h', refresh: '5s' };

test.each<[string, Partial<Settings>]>([
  ['', {}],
  ['?var-model=meta%2Fllama', { model: 'meta/llama' }],
  ['?var-model=', {}],
  ['?var-model=All', {}],
  ['?var-model=$__all', {}],
  ['?from=now-3h&to=now', { range: '3h' }],
  ['?from=now-9y', {}],
  ['?refresh=1m', { refresh: '1m' }],
  ['?refresh=off', { refresh: 'off' }],
  ['?refresh=', { refresh: 'off' }],
  ['?refresh=1ms', {}],
  ['?refresh=toString', {}],
])('readSettings(%j)', (search, expected) => {
  expect(readSettings(search)).toEqual({ ...defaults, ...expected });
});

test.each<[Partial<Settings>, string, string]>([
  [{}, '', ''],
  [{}, '?var-model=x&from=now-3h&refresh=off', ''],
  [{ model: 'a/b c' }, '', '?var-model=a%2Fb+c'],
  [{ range: '3h', refresh: 'off' }, '?theme=x', '?theme=x&from=now-3h&refresh=off'],
])('writeSettings(%j, %j) is %j', (part, search, expected) => {
  const written = writeSettings({ ...defaults, ...part }, search);
  expect(written).toBe(expected);
  expect(readSettings(written)).toEqual({ ...defaults, ...part });
});
